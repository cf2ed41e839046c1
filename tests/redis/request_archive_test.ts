import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { assert, assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import type { ReceivedEvent } from "../../src/testing/support/sse_parser.ts";
import {
  TestClient,
  type TestEvents,
} from "../../src/testing/support/test_client.ts";
import type { TransportCall } from "../../src/testing/support/test_transport.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until, within } from "../e2e/support/until.ts";
import { connect } from "./support/clients.ts";
import { CommandsSeen } from "./support/commands_seen.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const REPLAY = { streams: { replay: {} } };

/** A request that a node works on, and a client that talks to another node. */
interface Interrupted {
  readonly events: TestEvents;
  readonly call: TransportCall;
  /** A client of the other node, with the same session. */
  readonly other: TestClient;
  /** Makes the node unreachable for Redis and the other node. */
  kill(): void;
}

describeRedis("RedisSessions: requests of a node that dies", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  it("P5 a client gets what was sent before, and then an error", async () => {
    await withRequest(REPLAY, async ({ events, call, other, kill }) => {
      for (let number = 1; number <= 20; number++) call.send(note(number));
      const [first] = await within(events.take(), "an event");
      await events.cancel();
      await stored(20);
      kill();
      const rest = await within(
        other.listen(first!.lastEventId),
        "a response",
        PATIENCE_MS,
      );
      const { ended, data } = await within(rest.end(), "the rest");
      assertEquals(ended, "closed");
      assertEquals(data.slice(0, -1), notes(2, 20));
      assertEquals(JSON.parse(data.at(-1)!).id, 5);
      assert(JSON.parse(data.at(-1)!).error, "There is no error.");
    });
  });

  it("P5 a client that is connected through another node gets everything", async () => {
    await withRequest(REPLAY, async ({ events, call, other, kill }) => {
      const { lastEventId } = await within(events.first(), "an event");
      await events.cancel();
      const resumed = await within(other.listen(lastEventId), "a response");
      for (let number = 1; number <= 20; number++) call.send(note(number));
      const received = await within(resumed.take(), "an event");
      await stored(20);
      kill();
      const { ended, data } = await within(
        resumed.end(),
        "the rest",
        PATIENCE_MS,
      );
      assertEquals(ended, "closed");
      const all = [...textsOf(received), ...data];
      assertEquals(all.slice(0, -1), notes(1, 20));
      assert(JSON.parse(all.at(-1)!).error, "There is no error.");
    });
  });

  it("P5 a response that was complete is not lost with its node", async () => {
    await withRequest(REPLAY, async ({ events, call, other, kill }) => {
      const { lastEventId } = await within(events.first(), "an event");
      await events.cancel();
      call.send(note(1));
      call.finish({ done: true });
      await stored(3);
      kill();
      const late = await within(
        other.listen(lastEventId),
        "a response",
        PATIENCE_MS,
      );
      const { data } = await within(late.end(), "the response");
      const result = { jsonrpc: "2.0", id: 5, result: { done: true } };
      assertEquals(data, [...notes(1, 1), JSON.stringify(result)]);
    });
  });

  it("P5 S17 beyond the limits, the oldest events are dropped with a reset", async () => {
    const options = { streams: { replay: { maxEvents: 5 } } };
    await withRequest(options, async ({ events, call, other, kill }) => {
      const { lastEventId } = await within(events.first(), "an event");
      await events.cancel();
      for (let number = 1; number <= 20; number++) call.send(note(number));
      await until(
        async () => (await archived()).at(-1) === 20,
        "the last event to be stored",
      );
      kill();
      const late = await within(
        other.listen(lastEventId),
        "a response",
        PATIENCE_MS,
      );
      const { data } = await within(late.end(), "the rest");
      assertEquals(JSON.parse(data[0]!), { reason: "purged" });
      const kept = data.slice(1, -1);
      assertEquals(kept, notes(20 - kept.length + 1, 20));
      assert(kept.length <= 6, `${kept.length} events were kept.`);
    });
  });

  it("P5 R2 the events of one turn take one command", async () => {
    await using seen = await CommandsSeen.of(server);
    await withRequest(REPLAY, async ({ call }) => {
      await seen.take();
      for (let number = 1; number <= 100; number++) call.send(note(number));
      await stored(100);
      const commands = (await seen.take()).filter(({ name, args, from }) =>
        from !== "lua" && name === "evalsha" &&
        args.some((arg) => arg.includes("notifications/progress"))
      );
      assertEquals(commands.length, 1);
    });
  });

  /** Returns the key of the only request. */
  let keyOf: () => Promise<string | undefined> = () =>
    Promise.resolve(undefined);

  /** Returns the numbers of the stored notifications, oldest first. */
  async function archived(): Promise<number[]> {
    const key = await keyOf();
    if (key === undefined) return [];
    const entries = await server.command("XRANGE", key, "-", "+");
    return [...String(entries).matchAll(/"number":(\d+)/g)]
      .map(([, number]) => Number(number));
  }

  /** Waits until that many events are stored. */
  async function stored(count: number): Promise<void> {
    await until(async () => {
      const key = await keyOf();
      return key !== undefined &&
        Number(await server.command("XLEN", key)) === count;
    }, `${count} stored events`);
  }

  async function withRequest(
    options: Parameters<RedisCluster["join"]>[0],
    test: (interrupted: Interrupted) => Promise<void>,
  ): Promise<void> {
    await using proxy = await TcpProxy.start(server.port);
    await using clients = await connect(proxy);
    await using cluster = new RedisCluster(server);
    keyOf = async () => {
      const keys = await server.command(
        "KEYS",
        `{${cluster.prefix}*}:1:r:*`,
      );
      return String(keys).split(/\s+/).filter(Boolean)[0];
    };
    const here = await cluster.joinWith(clients, options);
    const there = await cluster.join(options);
    await met([here, there] as RedisSessions[]);
    const { id } = await within(TestClient.begin(here), "a session");
    const client = new TestClient(here, { id });
    const { events, call } = await within(client.work(5), "a response");
    await test({
      events,
      call,
      other: new TestClient(there, { id }),
      kill: () => proxy.silence(),
    });
  }
});

function note(number: number): object {
  return { method: "notifications/progress", params: { number } };
}

function notes(from: number, to: number): string[] {
  return Array.from(
    { length: to - from + 1 },
    (_, index) => JSON.stringify({ jsonrpc: "2.0", ...note(from + index) }),
  );
}

function textsOf(events: readonly ReceivedEvent[]): string[] {
  return events.map(({ data }) => data);
}
