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
  { kind: "heartbeat" },
  { kind: "heartbeat", lastSeq: null },
  { kind: "heartbeat", lastSeq: 7 },
  { kind: "heartbeat", lastSeq: { seq: -1 } },
  { kind: "heartbeat", lastSeq: { seq: 0, overrides: null } },
  { kind: "heartbeat", lastSeq: { seq: 0, overrides: 7 } },
  { kind: "heartbeat", lastSeq: { seq: 0, overrides: { n0: "7" } } },
  { kind: "join", handshakeId: null },
  { kind: "joinAck", handshakeId: 1 },
  { kind: "batch", seq: 1, prevSeq: { seq: 0 } },
  { kind: "batch", seq: 1, prevSeq: null, messages: [] },
  { kind: "batch", seq: 1, prevSeq: { seq: 0, overrides: null }, messages: [] },
  { kind: "batch", seq: 1.5, prevSeq: { seq: 0 }, messages: [] },
  { kind: "ack", handshakeId: 1, seq: "1" },
  { kind: "unknownPeer" },
  { kind: "leave", incarnation: "1" },
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
  { kind: "send", data: "data: x\n\n", seq: "1" },
  { kind: "broadcastSeq", seq: {} },
  { kind: "owners", owners: null },
  { kind: "owners", owners: {} },
  { kind: "owners", owners: [null] },
  { kind: "owners", owners: [["s"]] },
  { kind: "owners", owners: [["s", null, false]] },
  { kind: "owners", owners: [[7, STAMP, false]] },
  { kind: "released", id: "s" },
  { kind: "released", id: "s", at: [null, "intruder"] },
  { kind: "metadata", id: "s" },
  { kind: "metadata", id: "s", fields: null },
  { kind: "metadata", id: "s", fields: [null] },
  { kind: "metadata", id: "s", fields: [["logLevel", "alert"]] },
  { kind: "metadata", id: "s", fields: [["logLevel", "alert", null]] },
  { kind: "metadata", id: "s", fields: [["logLevel", "alert", ["1", "x"]]] },
  { kind: "metadata", id: "s", fields: [["logLevel", 7, STAMP]] },
  { kind: "metadata", id: "s", fields: [[null, "alert", STAMP]] },
  { kind: "metadata", id: "s", fields: [], deleted: 7 },
  { kind: "metadata", id: "s", fields: [], age: "old" },
  { kind: "metadata", fields: [] },
  { kind: "requestDiff" },
  { kind: "requestDiff", digests: ["1"] },
  { kind: "notification" },
  { kind: "notification", text: { method: "x" } },
  { kind: "request", id: 1 },
  { kind: "request", id: 1, request: null },
  { kind: "request", id: 1, request: {} },
  { kind: "request", id: null, request: { kind: "has", id: "s" } },
  { kind: "response", response: true },
  { kind: "syncDone", nodes: [7] },
  { kind: "syncDone" },
];

/** Questions of which nobody can say what they ask. */
const QUESTIONS: readonly unknown[] = [
  { kind: "unheard-of" },
  { kind: "__proto__" },
  { kind: "has" },
  { kind: "delete", id: null },
  { kind: "resume", id: "s" },
  { kind: "resume", id: "s", lastEventId: 7 },
  { kind: "metadata", id: {} },
  { kind: "lastUsed" },
  { kind: "lastUsed", ids: "s" },
  { kind: "lastUsed", ids: [null] },
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
  { frames: null, versionVector: {} },
  { frames: [7], versionVector: {} },
  { frames: [], versionVector: null },
  { frames: [], versionVector: { n0: "7" } },
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
      for (const [id, request] of QUESTIONS.entries()) {
        intruder.tell({ kind: "request", id, request });
        await pass(time, 20);
        const answered = intruder.answers.filter((answer) => answer.id === id);
        assertEquals(answered.length, nodes.length, JSON.stringify(request));
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
      const intruder = new Intruder(
        network,
        BEAT_MS,
        ({ from, id, request }) => {
          asked.add(request.kind);
          intruder.tell({ kind: "response", id, response: answer, only: from });
        },
      );
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
        intruder.tell({ kind: "owners", owners: [home] });
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
        ["delete", "has", "metadata", "resume", "unsubscribe"],
      );
      await assertWork(time, nodes, "new");
      intruder.leave();
      await stop(time, nodes);
    }),
  );

  it(
    "C13 keep a session while the answer whether it is used is none",
    faked(async (time) => {
      const idleTimeoutMs = 200;
      const { network, nodes } = await start(time, ["n0", "n1"], {
        info: { idleTimeoutMs },
      });
      const { info } = nodes[0]!.sessions;
      let asked = 0;
      let answer: unknown;
      const intruder = new Intruder(
        network,
        BEAT_MS,
        ({ from, id, request }) => {
          if (request.kind === "lastUsed") asked++;
          intruder.tell({ kind: "response", id, response: answer, only: from });
        },
      );
      await pass(time, 100);
      await settled(time, info.setLogLevel("s", "info"), "set");
      for (
        const value of ANSWERS.filter((value) => JSON.stringify(value) !== "[]")
      ) {
        answer = value;
        asked = 0;
        await pass(time, 2 * idleTimeoutMs);
        assert(asked > 0, `Nobody asks, after ${JSON.stringify(value)}.`);
      }
      assertEquals(await info.getLogLevel("s"), "info");
      answer = [];
      await pass(time, 2 * idleTimeoutMs);
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
