import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { describe, it } from "node:test";
import { usingFakeTime } from "../support/streams.ts";
import { parseSse } from "../support/sse_parser.ts";
import { Member } from "./support/member.ts";
import {
  ANSWER_MS,
  LEASE_MS,
  MEMORY_MS,
  pass,
  settled,
} from "./support/timing.ts";

/** Long enough for a node to be down, and to be forgotten. */
const CUTS: readonly [name: string, ms: number][] = [
  ["for a while", 2 * LEASE_MS],
  ["for long", 2 * MEMORY_MS],
];

for (const [name, cutMs] of CUTS) {
  describe(`ClusterSessions: a node that is cut off ${name}`, () => {
    testCut(cutMs);
  });
}

function testCut(cutMs: number): void {
  it(
    "C7 it is down after its lease, and up when it is back",
    usingFakeTime(async (time) => {
      const { network, members } = await start(time, 3);
      const has = (id: string) => views(time, members, id);
      const [a, b, c] = members;
      const streams = ["a", "b", "c"].map((id, at) => members[at]!.create(id));
      for (const { created } of streams) await settled(time, created, "create");
      await settled(time, c!.sessions.info.setLogLevel("c", "info"), "set");
      network.partition([["n2"]]);
      await pass(time, cutMs);
      assertEquals(names(members), ["n0 n1", "n0 n1", "n2"]);
      assertEquals(await has("a"), [true, true, false]);
      assertEquals(await has("c"), [false, false, true]);
      // The error names the node; the streams continue.
      void a!.sessions.streams.send(undefined, "data: cut\n\n");
      void c!.sessions.streams.send(undefined, "data: off\n\n");
      await settled(time, a!.sessions.info.setLogLevel("a", "alert"), "set");
      await settled(time, c!.sessions.info.setLogLevel("b", "error"), "set");
      network.heal();
      await pass(time, 500);
      assertEquals(names(members), Array(3).fill("n0 n1 n2"));
      for (const id of ["a", "b", "c"]) {
        assertEquals(await has(id), [true, true, true]);
      }
      for (const { sessions: { info } } of members) {
        assertEquals(await info.getLogLevel("a"), "alert");
        assertEquals(await info.getLogLevel("b"), "error");
        assertEquals(await info.getLogLevel("c"), "info");
      }
      for (const { name, sessions } of members) {
        void sessions.streams.send(undefined, `data: ${name} to all\n\n`);
        void sessions.streams.send(["a", "c"], `data: ${name} to two\n\n`);
      }
      await pass(time, 100);
      const texts = streams.map(({ client }) =>
        parseSse(client.text).events.map(({ data }) => data)
      );
      const all = ["n0 to all", "n1 to all", "n2 to all"];
      const two = ["n0 to two", "n1 to two", "n2 to two"];
      const reset = '{"reason":"purged"}';
      const isNew = (text: string) => text.startsWith("n");
      const wasMissed = (text: string) => !isNew(text);
      assertEquals(texts[0]!.filter(isNew).sort(), [...all, ...two].sort());
      assertEquals(texts[1]!.filter(isNew).sort(), all);
      assertEquals(texts[2]!.filter(isNew).sort(), [...all, ...two].sort());
      // A node that was not forgotten gets what it missed, others a reset.
      const isKept = cutMs < MEMORY_MS;
      assertEquals(
        texts.map((texts) => texts.filter(wasMissed).sort()),
        isKept ? [["cut", "off"], ["cut", "off"], ["cut", "off"]] : [
          ["cut", reset],
          ["cut", reset],
          ["off", reset],
        ],
      );
      await stop(time, [a!, b!, c!]);
    }),
  );

  it(
    "C7 nodes find each other again if one did not notice that it was cut off",
    usingFakeTime(async (time) => {
      const network = new LossyNetwork();
      // The links in each direction: a node may be received, and receive
      // nothing.
      const says = [(_: string) => true, (_: string) => true];
      const members = says.map((_, at) => {
        const bus = network.bus();
        return new Member(network, `n${at}`, {
          start: (node, receive) => bus.start(node, receive),
          publish: (text, to) =>
            says[at]!(text) ? bus.publish(text, to) : void 0,
          close: () => bus.close(),
        });
      });
      const ready = members.map(({ sessions }) => sessions.ready);
      await settled(time, Promise.all(ready), "ready");
      const { client, created } = members[1]!.create("b");
      await settled(time, created, "create");
      network.partition([["n0"], ["n1"]]);
      await pass(time, cutMs);
      // The second one joins the first one again, and not the other way round.
      says[0] = (text) => !text.includes('"kind":"join"');
      network.heal();
      await pass(time, LEASE_MS + ANSWER_MS / 10);
      // Now the first one considers the second one dead, while the second one
      // still receives it.
      says[1] = () => false;
      await pass(time, cutMs);
      says[0] = says[1] = () => true;
      await pass(time, 1_000);
      assertEquals(names(members), ["n0 n1", "n0 n1"]);
      void members[0]!.sessions.streams.send(["b"], "data: back\n\n");
      void members[0]!.sessions.streams.send(undefined, "data: all\n\n");
      await pass(time, 100);
      const texts = parseSse(client.text).events.map(({ data }) => data);
      const resets = cutMs < MEMORY_MS ? [] : ['{"reason":"purged"}'];
      assertEquals(texts, [...resets, "back", "all"]);
      await stop(time, members);
    }),
  );

  it(
    "C5 of two streams that were created meanwhile, the newer one is kept",
    usingFakeTime(async (time) => {
      const { network, members } = await start(time, 3);
      const [a, , c] = members;
      network.partition([["n2"]]);
      await pass(time, cutMs);
      const older = a!.create("x");
      await settled(time, older.created, "create");
      await pass(time, 10);
      const newer = c!.create("x");
      await settled(time, newer.created, "create");
      network.heal();
      await pass(time, 500);
      assertEquals(await views(time, members, "x"), [true, true, true]);
      assert(older.client.ended !== undefined, "Both streams are open.");
      assertEquals(newer.client.ended, undefined);
      void members[1]!.sessions.streams.send(["x"], "data: one\n\n");
      await pass(time, 50);
      const { events } = parseSse(newer.client.text);
      assertEquals(events.filter(({ data }) => data === "one").length, 1);
      await stop(time, members);
    }),
  );

  it(
    "C11 nodes agree on what one deleted and another one wrote meanwhile",
    usingFakeTime(async (time) => {
      const { network, members } = await start(time, 2);
      const [a, b] = members.map(({ sessions }) => sessions.info);
      const uri = "file:///a";
      await settled(time, b!.setLogLevel("x", "info"), "set");
      network.partition([["n1"]]);
      await pass(time, cutMs);
      await settled(time, a!.addSubscription("x", uri), "add");
      await pass(time, 10);
      await settled(time, b!.delete("x"), "delete");
      await pass(time, 10);
      await settled(time, a!.setLogLevel("x", "alert"), "set");
      network.heal();
      await pass(time, 1_000);
      for (const info of [a!, b!]) {
        assertEquals(await info.getLogLevel("x"), "alert");
        assertEquals(await info.getSubscriptions(uri), []);
      }
      await stop(time, members);
    }),
  );

  it(
    "C11 nodes agree on what one removed meanwhile",
    usingFakeTime(async (time) => {
      const { network, members } = await start(time, 2);
      const [a, b] = members.map(({ sessions }) => sessions.info);
      const uri = "file:///a";
      await settled(time, a!.addSubscription("x", uri), "add");
      network.partition([["n1"]]);
      await pass(time, cutMs);
      await settled(time, a!.removeSubscription("x", uri), "remove");
      await settled(time, a!.setLogLevel("x", "info"), "set");
      network.heal();
      await pass(time, 1_000);
      for (const info of [a!, b!]) {
        assertEquals(await info.getLogLevel("x"), "info");
        assertEquals(await info.getSubscriptions(uri), []);
      }
      await stop(time, members);
    }),
  );

  it(
    "C15 nodes know each other's subscriptions again when it is back",
    usingFakeTime(async (time) => {
      const { network, members } = await start(time, 2);
      const closed: string[] = [];
      const subscribe = async (member: Member, id: string) => {
        const filters = { toolsListChanged: true };
        const { subscriptions } = member.sessions;
        const created = subscriptions.create({ id, origin: "o", filters }, {
          acknowledge: () => {},
          send: () => {},
          close: (reason) => void closed.push(`${id} ${reason}`),
        });
        return await settled(time, created, "create");
      };
      const [a, b] = members;
      assertEquals(await subscribe(a!, "before"), true);
      network.partition([["n1"]]);
      await pass(time, cutMs);
      assertEquals(await subscribe(b!, "meanwhile"), true);
      network.heal();
      await pass(time, 500);
      assertEquals(await subscribe(b!, "before"), false);
      assertEquals(await subscribe(a!, "meanwhile"), false);
      for (
        const [member, id] of [[a!, "meanwhile"], [b!, "before"]] as const
      ) {
        const ended = member.sessions.subscriptions.close(id, "o", "closed");
        assertEquals(await settled(time, ended, "close"), true);
      }
      assertEquals(closed, ["meanwhile closed", "before closed"]);
      await stop(time, members);
    }),
  );
}

async function start(time: FakeTime, count: number) {
  const network = new LossyNetwork();
  const members = Array.from(
    { length: count },
    (_, at) => new Member(network, `n${at}`),
  );
  const ready = members.map(({ sessions }) => sessions.ready);
  await settled(time, Promise.all(ready), "ready");
  return { network, members };
}

async function stop(time: FakeTime, members: Member[]): Promise<void> {
  const closing = members.map(({ sessions }) => sessions.close());
  await settled(time, Promise.all(closing), "close");
  await pass(time, 5);
  assert(!time.next(), "A timer still runs.");
}

function names(members: readonly Member[]): string[] {
  return members.map(({ sessions }) =>
    sessions.nodes().map(({ name }) => name).sort().join(" ")
  );
}

async function views(
  time: FakeTime,
  members: readonly Member[],
  id: string,
): Promise<boolean[]> {
  const has = members.map(({ sessions }) => sessions.streams.has(id));
  return await settled(time, Promise.all(has), "has");
}
