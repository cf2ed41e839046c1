import { assert, assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { describe, it } from "node:test";
import { usingFakeTime } from "../support/streams.ts";
import { parseSse } from "../support/sse_parser.ts";
import { RoguePeer } from "./support/rogue_peer.ts";
import {
  dataOf,
  start,
  stop,
  type TestNode,
  views,
} from "./support/test_node.ts";
import { HEARTBEAT_MS, pass, settled } from "./support/timing.ts";

const STAMP = [1, "rogue"];

/** Packets of this version, each with one invalid field. */
const MALFORMED_PACKETS: readonly unknown[] = [
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

/** Messages, each with one invalid field. */
const MALFORMED_MESSAGES: readonly unknown[] = [
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
  { kind: "released", id: "s", at: [null, "rogue"] },
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
  { kind: "syncDone", nodes: [] },
  { kind: "used", ages: [["s"]] },
  { kind: "reserved", subscriptions: [[{}, "o"]] },
  { kind: "unreserved", id: 1 },
  { kind: "syncDone" },
];

/** Requests that no node can understand. */
const REQUESTS: readonly unknown[] = [
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

/** Values that are valid responses to no request. */
const RESPONSES: readonly unknown[] = [
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

describe("ClusterSessions: a peer that sends malformed messages", () => {
  it(
    "C13 each malformed packet is ignored and counted, and valid ones are read",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1"]);
      const { client, created } = nodes[0]!.open("s");
      await settled(time, created, "create");
      const { info } = nodes[0]!.sessions;
      await settled(time, info.setLogLevel("s", "info"), "set");
      const peer = new RoguePeer(network, HEARTBEAT_MS);
      await pass(time, 100);
      assertEquals(counts(nodes), nodes.map(() => ({ nodes: 3, ignored: 0 })));
      const say = [
        ...MALFORMED_PACKETS.map((message) => () => peer.send(message)),
        ...MALFORMED_MESSAGES.map((item) => () => peer.sendUnreadable(item)),
      ];
      const said: string[] = [];
      for (const [at, malformed] of say.entries()) {
        malformed();
        const what = JSON.stringify(
          [...MALFORMED_PACKETS, ...MALFORMED_MESSAGES][at],
        );
        said.push(what);
        const data = `data: after ${at}\n\n`;
        peer.sendReliably({ kind: "send", sessions: ["s"], data, only: "n0" });
        await pass(time, 10);
        assertEquals(
          counts(nodes),
          nodes.map(() => ({ nodes: 3, ignored: at + 1 })),
          what,
        );
      }
      assertEquals(dataOf(client), said.map((_, at) => `after ${at}`));
      await assertWork(time, nodes, "new");
      assertEquals(await info.getLogLevel("s"), "info");
      assertEquals(await views(time, nodes, "s"), [true, true]);
      assertEquals(nodes.flatMap(({ errors }) => errors), []);
      peer.leave();
      await stop(time, nodes);
    }),
  );

  it(
    "C13 a malformed request gets a response, and the node continues",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1"], {
        streams: { replay: {} },
      });
      const { client, created } = nodes[0]!.open("s");
      await settled(time, created, "create");
      const peer = new RoguePeer(network, HEARTBEAT_MS);
      await pass(time, 100);
      for (const [id, request] of REQUESTS.entries()) {
        peer.sendReliably({ kind: "request", id, request });
        await pass(time, 20);
        const responded = peer.responses.filter((answer) => answer.id === id);
        assertEquals(responded.length, nodes.length, JSON.stringify(request));
      }
      assertEquals(client.ended, undefined);
      assertEquals(await views(time, nodes, "s"), [true, true]);
      await assertWork(time, nodes, "new");
      peer.leave();
      await stop(time, nodes);
    }),
  );

  it(
    "C13 a malformed response counts as none",
    usingFakeTime(async (time) => {
      const { network, nodes } = await start(time, ["n0", "n1"], {
        streams: { replay: {} },
      });
      const { info, streams, subscriptions } = nodes[0]!.sessions;
      const asked = new Set<string>();
      let answer: unknown;
      const peer = new RoguePeer(
        network,
        HEARTBEAT_MS,
        ({ from, id, request }) => {
          asked.add(request.kind);
          peer.sendReliably({
            kind: "response",
            id,
            response: answer,
            only: from,
          });
        },
      );
      await pass(time, 100);
      for (const [at, value] of RESPONSES.entries()) {
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
        // A client that comes from there gets a reset.
        const home = [id, [Date.now() * 1_000, "rogue"], false];
        peer.sendReliably({ kind: "owners", owners: [home] });
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
        ["delete", "has", "holder", "metadata", "resume", "unsubscribe"],
      );
      await assertWork(time, nodes, "new");
      peer.leave();
      await stop(time, nodes);
    }),
  );

  it(
    "C13 a session is kept while the responses about its use are malformed",
    usingFakeTime(async (time) => {
      const idleTimeoutMs = 200;
      const { network, nodes } = await start(time, ["n0", "n1"], {
        info: { idleTimeoutMs },
      });
      const { info } = nodes[0]!.sessions;
      let asked = 0;
      let answer: unknown;
      const peer = new RoguePeer(
        network,
        HEARTBEAT_MS,
        ({ from, id, request }) => {
          if (request.kind === "lastUsed") asked++;
          peer.sendReliably({
            kind: "response",
            id,
            response: answer,
            only: from,
          });
        },
      );
      await pass(time, 100);
      await settled(time, info.setLogLevel("s", "info"), "set");
      for (
        const value of RESPONSES.filter((value) =>
          JSON.stringify(value) !== "[]"
        )
      ) {
        answer = value;
        asked = 0;
        await pass(time, 2 * idleTimeoutMs);
        assert(asked > 0, `No node asked, after ${JSON.stringify(value)}.`);
      }
      assertEquals(await info.getLogLevel("s"), "info");
      answer = [];
      await pass(time, 2 * idleTimeoutMs);
      const unknown = info.getLogLevel("s").catch(({ name }) => name);
      assertEquals(
        await settled(time, unknown, "get"),
        "SessionNotFoundError",
      );
      peer.leave();
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

/** Expects that the nodes know each other, and reach each other's sessions. */
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
  assertEquals(dataOf(client), ["hello"]);
}
