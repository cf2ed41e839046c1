import { assert, assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { describe, it } from "node:test";
import { faked } from "../support/streams.ts";
import { parseSse } from "../support/sse_parser.ts";
import { Intruder } from "./support/intruder.ts";
import {
  start,
  stop,
  type TestNode,
  textsOf,
  views,
} from "./support/test_node.ts";
import { BEAT_MS, pass, settled } from "./support/timing.ts";

const STAMP = [1, "intruder"];

/** Packets of this version with a field that is none. */
const MESSAGES: readonly unknown[] = [
  { kind: null },
  { kind: "beat" },
  { kind: "beat", newest: null },
  { kind: "beat", newest: 7 },
  { kind: "beat", newest: { number: -1 } },
  { kind: "beat", newest: { number: 0, except: null } },
  { kind: "beat", newest: { number: 0, except: 7 } },
  { kind: "beat", newest: { number: 0, except: { n0: "7" } } },
  { kind: "join", attempt: null },
  { kind: "joined", attempt: 1 },
  { kind: "batch", number: 1, after: { number: 0 } },
  { kind: "batch", number: 1, after: null, items: [] },
  { kind: "batch", number: 1, after: { number: 0, except: null }, items: [] },
  { kind: "batch", number: 1.5, after: { number: 0 }, items: [] },
  { kind: "ack", attempt: 1, number: "1" },
  { kind: "gone" },
  { kind: "bye", incarnation: "1" },
];

/** Items with a field that is none. */
const ITEMS: readonly unknown[] = [
  null,
  7,
  [],
  {},
  { kind: 7 },
  { kind: "send", data: "data: x\n\n", only: 5 },
  { kind: "send", data: 5 },
  { kind: "send", data: null, sessions: ["s"] },
  { kind: "send", data: "data: x\n\n", sessions: "s" },
  { kind: "send", data: "data: x\n\n", sessions: [null] },
  { kind: "send", data: "data: x\n\n", count: "1" },
  { kind: "count", count: {} },
  { kind: "homes", homes: null },
  { kind: "homes", homes: {} },
  { kind: "homes", homes: [null] },
  { kind: "homes", homes: [["s"]] },
  { kind: "homes", homes: [["s", null, false]] },
  { kind: "homes", homes: [[7, STAMP, false]] },
  { kind: "left", id: "s" },
  { kind: "left", id: "s", at: [null, "intruder"] },
  { kind: "record", id: "s" },
  { kind: "record", id: "s", fields: null },
  { kind: "record", id: "s", fields: [null] },
  { kind: "record", id: "s", fields: [["logLevel", "alert"]] },
  { kind: "record", id: "s", fields: [["logLevel", "alert", null]] },
  { kind: "record", id: "s", fields: [["logLevel", "alert", ["1", "x"]]] },
  { kind: "record", id: "s", fields: [["logLevel", 7, STAMP]] },
  { kind: "record", id: "s", fields: [[null, "alert", STAMP]] },
  { kind: "record", id: "s", fields: [], deleted: 7 },
  { kind: "record", id: "s", fields: [], age: "old" },
  { kind: "record", fields: [] },
  { kind: "compare" },
  { kind: "compare", sums: ["1"] },
  { kind: "notify" },
  { kind: "notify", text: { method: "x" } },
  { kind: "question", id: 1 },
  { kind: "question", id: 1, ask: null },
  { kind: "question", id: 1, ask: {} },
  { kind: "question", id: null, ask: { kind: "has", id: "s" } },
  { kind: "answer", answer: true },
  { kind: "welcome", nodes: [7] },
  { kind: "welcome" },
];

/** Questions of which nobody can say what they ask. */
const QUESTIONS: readonly unknown[] = [
  { kind: "unheard-of" },
  { kind: "__proto__" },
  { kind: "has" },
  { kind: "delete", id: null },
  { kind: "resume", id: "s" },
  { kind: "resume", id: "s", lastEventId: 7 },
  { kind: "record", id: {} },
  { kind: "used" },
  { kind: "used", ids: "s" },
  { kind: "used", ids: [null] },
  { kind: "subscribed", id: 1, origin: "o" },
  { kind: "subscribed", id: 1, origin: "o", at: [null] },
  { kind: "unsubscribe", id: {}, origin: 7, reason: null },
  { kind: "unsubscribeAll", origin: null, reason: 7 },
];

/** What is no answer to any question. */
const ANSWERS: readonly unknown[] = [
  null,
  7,
  "soon",
  {},
  [],
  [null],
  [[]],
  [["s"]],
  [[null, null]],
  { frames: null, heard: {} },
  { frames: [7], heard: {} },
  { frames: [], heard: null },
  { frames: [], heard: { n0: "7" } },
];

describe("ClusterSessions, with a node whose packets are malformed,", () => {
  it(
    "C13 ignore and count each, and read what it says besides",
    faked(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1"]);
      const { client, created } = nodes[0]!.open("s");
      await settled(time, created, "create");
      const { info } = nodes[0]!.sessions;
      await settled(time, info.setLogLevel("s", "info"), "set");
      const intruder = new Intruder(network, BEAT_MS);
      await pass(time, 100);
      assertEquals(counts(nodes), nodes.map(() => ({ nodes: 3, ignored: 0 })));
      const say = [
        ...MESSAGES.map((message) => () => intruder.say(message)),
        ...ITEMS.map((item) => () => intruder.tellInVain(item)),
      ];
      const said: string[] = [];
      for (const [at, malformed] of say.entries()) {
        malformed();
        const what = JSON.stringify([...MESSAGES, ...ITEMS][at]);
        said.push(what);
        const data = `data: after ${at}\n\n`;
        intruder.tell({ kind: "send", sessions: ["s"], data, only: "n0" });
        await pass(time, 10);
        assertEquals(
          counts(nodes),
          nodes.map(() => ({ nodes: 3, ignored: at + 1 })),
          what,
        );
      }
      assertEquals(textsOf(client), said.map((_, at) => `after ${at}`));
      await assertWork(time, nodes, "new");
      assertEquals(await info.getLogLevel("s"), "info");
      assertEquals(await views(time, nodes, "s"), [true, true]);
      assertEquals(nodes.flatMap(({ errors }) => errors), []);
      intruder.leave();
      await stop(time, nodes);
    }),
  );

  it(
    "C13 answer a question that is none, and go on",
    faked(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1"], {
        streams: { replay: {} },
      });
      const { client, created } = nodes[0]!.open("s");
      await settled(time, created, "create");
      const intruder = new Intruder(network, BEAT_MS);
      await pass(time, 100);
      for (const [id, ask] of QUESTIONS.entries()) {
        intruder.tell({ kind: "question", id, ask });
        await pass(time, 20);
        const answered = intruder.answers.filter((answer) => answer.id === id);
        assertEquals(answered.length, nodes.length, JSON.stringify(ask));
      }
      assertEquals(client.ended, undefined);
      assertEquals(await views(time, nodes, "s"), [true, true]);
      await assertWork(time, nodes, "new");
      intruder.leave();
      await stop(time, nodes);
    }),
  );

  it(
    "C13 make do without an answer that is none",
    faked(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1"], {
        streams: { replay: {} },
      });
      const { info, streams, subscriptions } = nodes[0]!.sessions;
      const asked = new Set<string>();
      let answer: unknown;
      const intruder = new Intruder(network, BEAT_MS, ({ from, id, ask }) => {
        asked.add(ask.kind);
        intruder.tell({ kind: "answer", id, answer, only: from });
      });
      await pass(time, 100);
      for (const [at, value] of ANSWERS.entries()) {
        answer = value;
        const id = `s${at}`;
        const wait = <Value>(promise: Promise<Value>, what: string) =>
          settled(time, promise, `${what} with ${JSON.stringify(value)}`);
        assertEquals(await wait(streams.has(id), "has"), false);
        await wait(streams.delete(id), "delete");
        const unknown = info.getLogLevel(id).catch(({ name }) => name);
        assertEquals(await wait(unknown, "get"), "SessionNotFoundError");
        const closed = subscriptions.close(at, "o", "closed");
        assertEquals(await wait(closed, "close"), false);
        // A client that comes from there hears that something is missing.
        const home = [id, [Date.now() * 1_000, "intruder"], false];
        intruder.tell({ kind: "homes", homes: [home] });
        await pass(time, 10);
        const { client, created } = nodes[0]!.open(id, {
          expect: { lastEventId: "unheard-of" },
        });
        await wait(created, "create");
        await pass(time, 10);
        const { events } = parseSse(client.text);
        assertEquals(events.map(({ event }) => event), ["reset"]);
      }
      assertEquals(
        [...asked].sort(),
        ["delete", "has", "record", "resume", "unsubscribe"],
      );
      await assertWork(time, nodes, "new");
      intruder.leave();
      await stop(time, nodes);
    }),
  );

  it(
    "C13 keep a session while the answer whether it is used is none",
    faked(async (time) => {
      const idleMs = 200;
      const { network, nodes } = await start(time, ["n0", "n1"], {
        info: { idleMs },
      });
      const { info } = nodes[0]!.sessions;
      let asked = 0;
      let answer: unknown;
      const intruder = new Intruder(network, BEAT_MS, ({ from, id, ask }) => {
        if (ask.kind === "used") asked++;
        intruder.tell({ kind: "answer", id, answer, only: from });
      });
      await pass(time, 100);
      await settled(time, info.setLogLevel("s", "info"), "set");
      for (
        const value of ANSWERS.filter((value) => JSON.stringify(value) !== "[]")
      ) {
        answer = value;
        asked = 0;
        await pass(time, 2 * idleMs);
        assert(asked > 0, `Nobody asks, after ${JSON.stringify(value)}.`);
      }
      assertEquals(await info.getLogLevel("s"), "info");
      answer = [];
      await pass(time, 2 * idleMs);
      const unknown = info.getLogLevel("s").catch(({ name }) => name);
      assertEquals(
        await settled(time, unknown, "get"),
        "SessionNotFoundError",
      );
      intruder.leave();
      await stop(time, nodes);
    }),
  );
});

function counts(
  nodes: readonly TestNode[],
): { nodes: number; ignored: number }[] {
  return nodes.map(({ sessions }) => {
    const { nodes, ignored } = sessions.stats().cluster;
    return { nodes, ignored };
  });
}

/** Nodes know of each other, and reach each other's sessions. */
async function assertWork(
  time: FakeTime,
  nodes: readonly TestNode[],
  id: string,
): Promise<void> {
  const { sessions } = nodes[0]!;
  const { client, created } = nodes.at(-1)!.open(id);
  await settled(time, created, "create");
  assert(await settled(time, sessions.streams.has(id), "has"));
  void sessions.streams.send([id], "data: hello\n\n");
  await pass(time, 20);
  assertEquals(textsOf(client), ["hello"]);
}
