import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { ReceivedEvent } from "../../src/testing/support/sse_parser.ts";
import { until } from "../e2e/support/until.ts";
import {
  meet,
  PATIENCE_MS,
  withWorkers,
  type WorkerNode,
} from "./support/workers.ts";
import { resetCounts } from "../support/empty_stats.ts";

type Three = [WorkerNode, WorkerNode, WorkerNode];

const REPLAY = { streams: { replay: {} } };

function texts(events: readonly ReceivedEvent[]): string[] {
  return events.map(({ data }) => data);
}

function numbers(from: number, to: number, prefix = ""): string[] {
  return Array.from({ length: to - from }, (_, i) => `${prefix}${from + i}`);
}

describe("BroadcastChannelSessions: resuming on another node", () => {
  it(
    "H7 a session is valid on every node, and outlives the node that began it",
    withWorkers({ cluster: { heartbeatMs: 200 } }, async (workers) => {
      const [a, b, c] = await workers.start(3) as Three;
      const id = await a.clients.begin();
      for (const { clients } of [a, b, c]) {
        assertEquals(await clients.ping(id), 200);
        assertEquals(await clients.ping(`${id}x`), 404);
      }
      assertEquals(await b.clients.listen(id), 200);
      await a.kill();
      assertEquals(await c.clients.ping(id), 200);
      await c.messages.send([id], "hello");
      assertEquals(texts(await b.clients.events(id, 1)), ["hello"]);
      await meet([b, c]);
      assertEquals(await c.clients.ping(id), 200);
      assertEquals(await c.clients.end(id), 200);
      for (const { clients } of [b, c]) {
        assertEquals(await clients.ping(id), 404);
        assertEquals(await clients.listen(id), 404);
      }
    }),
  );

  it(
    "H4 a client resumes on another node after its last event ID",
    withWorkers(REPLAY, async (workers) => {
      const nodes = await workers.start(3) as Three;
      const [a, b, c] = nodes;
      const id = await a.clients.begin();
      const other = await b.clients.begin();
      await a.clients.listen(id);
      let sent = 0;
      // In order for the client: each is awaited before another node sends.
      const send = async (count: number, { messages }: WorkerNode) => {
        for (let left = count; left > 0; left--) {
          await messages.send([other], "for another session");
          await messages.send(sent % 2 ? undefined : [id], `${sent++}`);
        }
      };
      await send(10, a);
      const got: string[] = [];
      let at = a;
      for (const [round, next] of [b, c, a, c, b, a, b].entries()) {
        const before = await at.clients.events(id, sent - got.length);
        // The connection breaks in the middle, and what was in flight is lost.
        const taken = before.slice(0, 1 + round % 3);
        got.push(...texts(taken));
        const { lastEventId } = taken.at(-1)!;
        // Sometimes the server does not notice that the client left.
        if (round % 2 === 0) await at.clients.leave(id);
        await send(3, at);
        assertEquals(await next.clients.listen(id, lastEventId), 200);
        at = next;
        await send(3, next);
      }
      const rest = await at.clients.events(id, sent - got.length);
      assertEquals([...got, ...texts(rest)], numbers(0, sent));
      const resets = await Promise.all(
        nodes.map(async ({ node }) => (await node.stats()).resets),
      );
      for (const counts of resets) assertEquals(counts, resetCounts());
    }),
  );

  it(
    "H4 a client that returns to a node other than the sender misses nothing",
    withWorkers(REPLAY, async (workers) => {
      const nodes = await workers.start(3) as Three;
      const id = await nodes[0].clients.begin();
      await nodes[0].clients.listen(id);
      const got: string[] = [];
      let at = nodes[0];
      for (let round = 0; round < 8; round++) {
        const next = nodes[(round + 1) % 3]!;
        const sender = nodes[(round + 2) % 3]!;
        await sender.messages.sendNumbers([id], 5, `${round}:live:`);
        const live = await at.clients.events(id, 5);
        const { lastEventId } = live.at(-1)!;
        got.push(...texts(live));
        await at.clients.leave(id);
        await sender.messages.sendNumbers(undefined, 3, `${round}:away:`);
        await next.clients.listen(id, lastEventId);
        const missed = await next.clients.events(id, 3);
        got.push(...texts(missed));
        // The client has everything: it gets nothing again when it returns to
        // this node.
        await next.clients.listen(id, missed.at(-1)!.lastEventId);
        at = next;
      }
      assertEquals(
        got,
        Array.from({ length: 8 }, (_, round) => [
          ...numbers(0, 5, `${round}:live:`),
          ...numbers(0, 3, `${round}:away:`),
        ]).flat(),
      );
    }),
  );

  it(
    "S14 a client that changes nodes while all nodes send gets every event once",
    withWorkers(REPLAY, async (workers) => {
      const nodes = await workers.start(3) as Three;
      const id = await nodes[0].clients.begin();
      await nodes[0].clients.listen(id);
      for (const [from, { messages }] of nodes.entries()) {
        await messages.startNumbers(from === 1 ? undefined : [id], {
          prefix: `${from}:`,
          perTurn: 3,
        });
      }
      const got: string[] = [];
      let at = nodes[0];
      let lastEventId = "";
      const take = async (count: number) => {
        const events = await at.clients.events(id, count);
        assert(
          events.length >= count,
          `The stream ended after ${got.length} events.`,
        );
        // Some of what was delivered never reaches the client.
        const taken = events.slice(0, Math.max(count, events.length - 7));
        got.push(...texts(taken));
        ({ lastEventId } = taken.at(-1)!);
      };
      for (let hop = 0; hop < 12; hop++) {
        await take(5 + hop);
        if (hop % 2 === 0) await at.clients.leave(id);
        at = nodes[(hop * 2 + 1) % 3]!;
        assertEquals(await at.clients.listen(id, lastEventId), 200);
      }
      const counts = await Promise.all(
        nodes.map(({ messages }) => messages.stopNumbers()),
      );
      const sum = counts.reduce((all, count) => all + count, 0);
      got.push(...texts(await at.clients.events(id, sum - got.length)));
      assert(!got.includes("unknown"), "The stream was reset.");
      // In order, except for events that were in flight while the session
      // moved.
      const expected = counts.flatMap((count, from) =>
        numbers(0, count, `${from}:`)
      );
      assertEquals(got.sort(), expected.sort());
    }),
  );

  it(
    "S15 a last event ID of a dead node is responded with a reset, never with a gap",
    withWorkers(
      { ...REPLAY, cluster: { heartbeatMs: 200 } },
      async (workers) => {
        const [a, b, c] = await workers.start(3) as Three;
        const id = await a.clients.begin();
        await a.clients.listen(id);
        await b.messages.send([id], "before");
        const [event] = await a.clients.events(id, 1);
        await a.kill();
        await meet([b, c]);
        await c.messages.send([id], "lost");
        await b.clients.listen(id, event!.lastEventId);
        await c.messages.send([id], "after");
        const events = await b.clients.events(id, 2);
        assertEquals(events.map(({ type }) => type), ["reset", "message"]);
        assertEquals(events[1]!.data, "after");
        assertEquals((await b.node.reports()).resets, [[id, "unknown"]]);
        // From here on it can move again.
        await b.clients.leave(id);
        await c.messages.send([id], "missed");
        await c.clients.listen(id, events[1]!.lastEventId);
        assertEquals(texts(await c.clients.events(id, 1)), ["missed"]);
      },
    ),
  );

  for (const blocked of ["the node that it left", "its new node"] as const) {
    it(
      `S14 a client misses nothing while ${blocked} is blocked for a second`,
      withWorkers(
        // Longer than `requestTimeoutMs`, and shorter than the lease of a node.
        { ...REPLAY, cluster: { requestTimeoutMs: 100 } },
        async (workers) => {
          const [a, b, c] = await workers.start(3) as Three;
          const id = await a.clients.begin();
          await a.clients.listen(id);
          await c.messages.send([id], "before");
          const [event] = await a.clients.events(id, 1);
          await a.clients.leave(id);
          const other = await a.clients.begin();
          await a.clients.listen(other);
          await until(() => c.streams.has(other), "the stream", PATIENCE_MS);
          await c.messages.sendNumbers([id], 3, "targeted:");
          await c.messages.sendNumbers(undefined, 3, "broadcast:");
          // Events that are in flight while a session moves may be overtaken.
          await c.messages.send([other], "last");
          await a.clients.events(other, 4);
          const listen = async () =>
            assertEquals(await b.clients.listen(id, event!.lastEventId), 200);
          // Blocked just before the request arrives, or just after it was sent.
          await Promise.all(
            blocked === "its new node"
              ? [listen(), b.node.block(1_000)]
              : [a.node.block(1_000), listen()],
          );
          assertEquals(texts(await b.clients.events(id, 6)), [
            ...numbers(0, 3, "targeted:"),
            ...numbers(0, 3, "broadcast:"),
          ]);
          assertEquals((await b.node.stats()).resets, resetCounts());
        },
      ),
    );
  }

  it(
    "S14 a client that has received nothing yet can resume on another node",
    withWorkers(REPLAY, async (workers) => {
      const [a, b, c] = await workers.start(3) as Three;
      const id = await a.clients.begin();
      await a.clients.listen(id);
      const position = await a.clients.position(id);
      await a.clients.leave(id);
      await c.messages.send([id], "one");
      await b.messages.send(undefined, "two");
      await b.clients.listen(id, position);
      // They come from two senders, so in either order.
      const got = texts(await b.clients.events(id, 2));
      assertEquals(got.toSorted(), ["one", "two"]);
      await until(
        async () => !(await a.streams.has(id)) || await b.streams.has(id),
        "the stream to be on its new node",
        PATIENCE_MS,
      );
    }),
  );
});
