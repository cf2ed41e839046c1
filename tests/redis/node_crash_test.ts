import { assert, assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import type { ReceivedEvent } from "../../src/testing/support/sse_parser.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { meet } from "../cluster_nodes/remote_nodes.ts";
import { until } from "../e2e/support/until.ts";
import { type ProcessNode, withProcesses } from "./support/processes.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

type Three = [ProcessNode, ProcessNode, ProcessNode];

const CLUSTER = { heartbeatMs: 200, requestTimeoutMs: 500 };
const REPLAY = { cluster: CLUSTER, streams: { replay: {} } };
/** How long a burst may take while processes are killed on a busy machine. */
const MUCH = { maxEvents: 1_000_000, maxBytes: 2 ** 28 };

function texts(events: readonly ReceivedEvent[]): string[] {
  return events.map(({ data }) => data);
}

function numbers(count: number, prefix = "", from = 0): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${from + at}`);
}

describeRedis("RedisSessions: killed processes", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  it(
    "S14 C6 clients of a node that is killed in a burst resume elsewhere, and miss nothing",
    withProcesses(
      () => server,
      { cluster: CLUSTER, streams: { replay: MUCH } },
      async (processes) => {
        const [a, b, c] = await processes.start(3) as Three;
        const ids = await Promise.all(
          Array.from(
            { length: 10 },
            (_, at) => (at % 2 ? a : c).clients.begin(),
          ),
        );
        for (const id of ids) assertEquals(await c.clients.listen(id), 200);
        await a.messages.startNumbers(undefined, { prefix: "a:", perTurn: 2 });
        await b.messages.startNumbers(ids, { prefix: "b:", perTurn: 2 });
        const before = await Promise.all(
          ids.map((id) => c.clients.events(id, 200)),
        );
        // What its clients received after that, they have not got.
        await c.kill();
        const got = before.map((events, at) => {
          // Each of them at another point of the burst.
          const taken = events.slice(0, 1 + at * 20);
          return {
            texts: texts(taken),
            lastEventId: taken.at(-1)!.lastEventId,
          };
        });
        const statuses = ids.map((id, at) =>
          (at % 2 ? a : b).clients.listen(id, got[at]!.lastEventId)
        );
        assertEquals(await Promise.all(statuses), ids.map(() => 200));
        const ofA = await a.messages.stopNumbers();
        const ofB = await b.messages.stopNumbers();
        for (const { node } of [a, b]) {
          assertEquals((await node.reports()).resets, []);
        }
        for (const [at, id] of ids.entries()) {
          const { clients } = at % 2 ? a : b;
          const missing = ofA + ofB - got[at]!.texts.length;
          const all = [
            ...got[at]!.texts,
            ...texts(await clients.events(id, missing)),
          ];
          for (const [prefix, count] of [["a:", ofA], ["b:", ofB]] as const) {
            assertEquals(
              all.filter((text) => text.startsWith(prefix)),
              numbers(count, prefix),
            );
          }
          assertEquals(all.length, ofA + ofB, "It received something else.");
        }
        await meet([a, b]);
        for (const { node } of [a, b]) {
          assertEquals((await node.stats()).cluster.lost, 0);
        }
      },
    ),
  );

  it(
    "S14 what is sent while no node has the session is there when its client is back",
    withProcesses(() => server, REPLAY, async (processes) => {
      const [a, b, c] = await processes.start(3) as Three;
      const id = await a.clients.begin();
      const other = await a.clients.begin();
      await c.clients.listen(id);
      await c.clients.listen(other);
      await b.messages.send([id], "got");
      const [got] = await c.clients.events(id, 1);
      const position = await c.clients.position(other);
      await c.kill();
      await a.messages.send([id], "dying");
      await meet([a, b]);
      await b.messages.send([id], "dead");
      await a.messages.send(undefined, "all");
      await a.clients.listen(id, got!.lastEventId);
      await b.clients.listen(other, position);
      const missed = texts(await a.clients.events(id, 3));
      assertEquals(missed.sort(), ["all", "dead", "dying"]);
      assertEquals(texts(await b.clients.events(other, 1)), ["all"]);
      // Nothing is repeated.
      const { lastEventId } = (await a.clients.events(id, 3)).at(-1)!;
      await b.clients.listen(id, lastEventId);
      await a.messages.send([id], "live");
      assertEquals(texts(await b.clients.events(id, 1)), ["live"]);
      for (const { node } of [a, b]) {
        assertEquals((await node.reports()).resets, []);
      }
    }),
  );

  it(
    "C6 killing a node while it sends does not affect the others",
    withProcesses(() => server, { cluster: CLUSTER }, async (processes) => {
      const [a, b, c] = await processes.start(3) as Three;
      await a.node.open("a0");
      await b.node.open("b0");
      await c.node.openMany(numbers(50, "c"));
      await b.messages.startNumbers(undefined, { prefix: "b:" });
      await c.messages.startNumbers(undefined, { prefix: "c:" });
      const isOfC = (text: string) => text.startsWith("c:");
      await until(
        async () => (await a.node.received("a0")).filter(isOfC).length > 200,
        "frames of the node that will be killed",
        PATIENCE_MS,
      );
      await c.kill();
      await until(
        async () => {
          const has = await Promise.all(
            numbers(50, "c").map((id) => a.streams.has(id)),
          );
          return !has.includes(true);
        },
        "the sessions of the killed node to be gone",
        PATIENCE_MS,
      );
      await meet([a, b]);
      const count = await b.messages.stopNumbers();
      await b.messages.send(undefined, "end");
      for (const [{ node }, id] of [[a, "a0"], [b, "b0"]] as const) {
        const got = await node.receivedAll(id, ["end"]);
        const ofC = got.filter(isOfC);
        // A prefix of what was sent, in order and without gaps.
        assertEquals(ofC, numbers(ofC.length, "c:"));
        assertEquals(
          got.filter((text) => text.startsWith("b:")),
          numbers(count, "b:"),
        );
      }
      await a.node.open("c0");
      await b.messages.send(["c0"], "again");
      assertEquals(await a.node.received("c0", 1), ["again"]);
    }),
  );

  it(
    "C6 a node that restarts under the name of a killed one replaces it",
    withProcesses(
      () => server,
      { cluster: { heartbeatMs: 5_000 } },
      async (processes) => {
        const [a] = await processes.start(1) as [ProcessNode];
        const [first, second] = [processes.spawn(), processes.spawn()];
        await processes.join(first, { node: "phoenix" });
        await meet([a, first]);
        await first.node.openMany(["old", "both"]);
        await first.info.setLogLevel("old", "alert");
        assertEquals(await a.streams.has("old"), true);
        await first.kill();
        await processes.join(second, { node: "phoenix" });
        await second.node.open("both");
        await until(
          async () =>
            !(await a.streams.has("old")) && !(await second.streams.has("old")),
          "the earlier node's stream to be gone",
          PATIENCE_MS,
        );
        assertEquals(await a.streams.has("both"), true);
        assertEquals(await second.info.getLogLevel("old"), "alert");
        await a.messages.send(["old", "both"], "hello");
        assertEquals(await second.node.received("both", 1), ["hello"]);
      },
    ),
  );

  for (const replay of [false, {}] as const) {
    it(
      `R1 C10 a Redis that is killed in a burst and comes back empty loses nothing unreported, ${
        replay ? "with replay" : "without replay"
      }`,
      withProcesses(
        () => server,
        { cluster: CLUSTER, streams: { replay } },
        async (processes) => {
          const [a, b] = await processes.start(2) as [ProcessNode, ProcessNode];
          await a.node.open("a0");
          await b.node.open("b0");
          await a.messages.startNumbers(undefined, { prefix: "all:" });
          await b.messages.startNumbers(["a0"], { prefix: "a0:" });
          await b.node.received("b0", 200);
          await a.node.received("a0", 200);
          await server.kill();
          // It resumes on its own node.
          const had = (await a.node.received("a0")).length;
          await a.node.received("a0", had + 100);
          const ofA = a.messages.stopNumbers();
          const ofB = b.messages.stopNumbers();
          await server.restart();
          const [all, some] = await Promise.all([ofA, ofB]);
          await meet([a, b]);
          await until(
            async () => await b.streams.has("a0") && await a.streams.has("b0"),
            "both streams to be known again",
            PATIENCE_MS,
          );
          await a.messages.send(undefined, "end of a");
          await b.messages.send(undefined, "end of b");
          const ends = ["end of a", "end of b"];
          const atA = await a.node.receivedAll("a0", ends);
          const atB = await b.node.receivedAll("b0", ends);
          const lost = await Promise.all(
            [a, b].map(async ({ node }) => (await node.stats()).cluster.lost),
          );
          const cases: [string, got: string[], string, count: number][] = [
            ["a of a", atA, "all:", all],
            ["b of a", atB, "all:", all],
            ["a of b", atA, "a0:", some],
          ];
          for (const [who, got, prefix, count] of cases) {
            const of = got.filter((text) => text.startsWith(prefix));
            const expected = numbers(count, prefix);
            if (of.length === count) assertEquals(of, expected);
            else {
              const how = `${who} got ${of.length} of ${count}, lost: ${lost}`;
              assert(replay !== false, how);
              assert(lost.some((texts) => texts > 0), how);
              // In order, and each of them once.
              const places = of.map((text) => expected.indexOf(text));
              assertEquals(places, [...new Set(places)].sort((x, y) => x - y));
            }
          }
        },
      ),
    );
  }

  it(
    "S15 a client whose events were lost with Redis gets a reset, or all of them",
    withProcesses(() => server, REPLAY, async (processes) => {
      const [a, b] = await processes.start(2) as [ProcessNode, ProcessNode];
      const id = await a.clients.begin();
      await a.clients.listen(id);
      await b.messages.send([id], "got");
      const [got] = await a.clients.events(id, 1);
      await a.clients.leave(id);
      await b.messages.send([id], "missed");
      await server.kill();
      await server.restart();
      await meet([a, b]);
      // Its session is known again, because it did not begin in Redis.
      await until(
        async () => await b.clients.ping(id) === 200,
        "the session to be known again",
        PATIENCE_MS,
      );
      await b.clients.listen(id, got!.lastEventId);
      await a.messages.send([id], "live");
      const events = await b.clients.events(id, 2);
      if (events[0]!.type !== "reset") {
        assertEquals(texts(events), ["missed", "live"]);
        return;
      }
      // What had not reached Redis before arrives when Redis is back, after
      // another reset if the client came during the outage.
      const isEvent = ({ type }: ReceivedEvent) => type !== "reset";
      await until(
        async () => (await b.clients.events(id, 0)).some(isEvent),
        "an event after the reset",
        PATIENCE_MS,
      );
      const { data } = (await b.clients.events(id, 0)).find(isEvent)!;
      assert(["live", "missed"].includes(data), data);
      // From there on it can move again.
      await b.messages.send([id], "end");
      const end = async () =>
        (await b.clients.events(id, 0)).find(({ data }) => data === "end");
      await until(
        async () => await end() !== undefined,
        "what was sent last",
        PATIENCE_MS,
      );
      const last = (await end())!;
      await b.clients.leave(id);
      await b.messages.send([id], "missed again");
      await a.clients.listen(id, last.lastEventId);
      const again = async () => texts(await a.clients.events(id, 0));
      await until(
        async () => (await again()).includes("missed again"),
        "what it missed",
        PATIENCE_MS,
      );
      // What was sent while Redis was down may be repeated, but nothing older.
      assert(!(await again()).includes("got"), `${await again()}`);
    }),
  );
});
