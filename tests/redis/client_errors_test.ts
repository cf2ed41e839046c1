import { ClusterError, InvalidArgumentError } from "@crossmcp/session-manager";
import {
  RedisInfoSessionManager,
  RedisSessions,
  type RedisSessionsOptions,
  RedisStreamSessionManager,
  RedisSubscriptionManager,
} from "@crossmcp/session-manager/redis";
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Redis } from "ioredis";
import { Buffer } from "node:buffer";
import { after, before, it } from "node:test";
import { createClient, createClientPool } from "redis";
import { frame } from "../../src/testing/support/test_client.ts";
import { until } from "../e2e/support/until.ts";
import { connect } from "./support/clients.ts";
import { openStream, textsOf } from "./support/open_stream.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";
import { TcpProxy } from "./support/tcp_proxy.ts";

const MANAGERS = [
  RedisStreamSessionManager,
  RedisInfoSessionManager,
  RedisSubscriptionManager,
];

/** Waits for `ready` to be rejected, which nothing has awaited before. */
async function rejection(ready: Promise<void>): Promise<Error> {
  let refused: Error | undefined;
  // A rejection that is unhandled by then would end the process.
  await new Promise((resolve) => setTimeout(resolve, 20));
  ready.catch((error) => refused = error);
  await until(() => refused !== undefined, "ready to be rejected", 20_000);
  assert(
    refused instanceof InvalidArgumentError || refused instanceof ClusterError,
    `It was refused with ${refused}`,
  );
  return refused;
}

/**
 * Creates sessions that cannot work, and uses them as a transport does, which
 * awaits nothing: no rejection may be unhandled.
 *
 * @returns The error with which `ready` rejects.
 */
async function refusal(clients: unknown): Promise<Error> {
  const reported: Error[] = [];
  const sessions = new RedisSessions(clients as never, {
    // A timeout would count as an outage, which does not reject it.
    cluster: { heartbeatMs: 50, requestTimeoutMs: 5_000 },
    prefix: crypto.randomUUID(),
    onError: (error) => void reported.push(error),
  });
  const stream = openStream();
  void sessions.streams.create("s", stream.controller);
  void sessions.streams.send(undefined, frame("hello"));
  void sessions.info.setLogLevel("s", "info");
  void sessions.info.addSubscription("s", "file:///a");
  // Its own streams work all the same.
  assertEquals(await textsOf(stream, 1), ["hello"]);
  const refused = await rejection(sessions.ready);
  assert(reported.includes(refused), "It was not reported.");
  await sessions.close();
  return refused;
}

/** The errors with which every constructor throws. */
function refusals(
  clients: unknown,
  options: RedisSessionsOptions = {},
): InvalidArgumentError[] {
  return [RedisSessions, ...MANAGERS].map((Class) =>
    assertThrows(
      () => new Class(clients as never, options),
      InvalidArgumentError,
    )
  );
}

describeRedis("RedisSessions: misuse", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  it("R8 the constructor refuses what is not a client, with the cause and the remedy", async () => {
    await using clients = await connect(server);
    const { publisher, subscriber } = clients;
    const port = {
      sendCommand: () => Promise.resolve(),
      subscribe: () => Promise.resolve(),
      unsubscribe: () => Promise.resolve(),
    };
    const promise = Promise.resolve(publisher);
    const pool = createClientPool({ url: server.url });
    const prefixed = new Redis(server.port, {
      lazyConnect: true,
      keyPrefix: "app:",
    });
    const ended = new Redis(server.port, { lazyConnect: true });
    ended.disconnect();
    await until(() => ended.status === "end", "the client to be closed");
    const callbacks = { send_command: () => {}, connected: true };
    const cases: [given: unknown, argument: string, cause: string][] = [
      [undefined, "client", "got undefined. Pass a client of node-redis"],
      [null, "client", "got null"],
      [7, "client", "got 7"],
      ["redis://:secret@localhost", "client", "createClient({ url })"],
      [createClient, "client", "a class"],
      [promise, "client", "a promise. Await it"],
      [{}, "client", 'without a method "sendCommand"'],
      [{ url: server.url }, "client", 'without a method "sendCommand"'],
      [port, "client", "{ publisher, subscriber }"],
      [callbacks, "client", "node-redis 3"],
      [pool, "client", "a pool"],
      [prefixed, "client", 'the "keyPrefix" "app:"'],
      [ended, "client", "a closed client of ioredis"],
      [{ subscriber }, "publisher", "got undefined"],
      [{ publisher: {}, subscriber }, "publisher", '"sendCommand"'],
      [{ publisher: null, subscriber }, "publisher", "got null"],
      [{ publisher: prefixed, subscriber }, "publisher", '"keyPrefix"'],
      [{ publisher: pool, subscriber }, "publisher", "a pool"],
      [{ publisher }, "subscriber", "got undefined"],
      [{ publisher, subscriber: {} }, "subscriber", '"subscribe"'],
      [{ publisher, subscriber: "redis://a" }, "subscriber", "a string"],
      [
        { publisher, subscriber: { subscribe: () => {}, unsubscribe: 7 } },
        "subscriber",
        '"unsubscribe"',
      ],
    ];
    for (const [given, argument, cause] of cases) {
      for (const error of refusals(given)) {
        assertEquals(error.argument, argument);
        assertStringIncludes(error.message, cause);
        assert(!error.message.includes("secret"), error.message);
      }
    }
  });

  it("R8 the constructor refuses clients that are not connected, and says what to do", async () => {
    const closed = createClient({ url: server.url });
    closed.on("error", () => {});
    await using clients = await connect(server);
    const { publisher, subscriber } = clients;
    for (const round of ["never connected", "closed again"]) {
      for (
        const given of [
          closed,
          { publisher: closed, subscriber },
          { publisher, subscriber: closed },
        ]
      ) {
        for (const { message } of refusals(given)) {
          assertStringIncludes(message, "connect()", round);
        }
      }
      await closed.connect();
      await closed.close();
    }
  });

  it("R8 refuses a client of ioredis that has subscribed", async () => {
    const redis = new Redis(server.port, { protocol: 2 });
    await redis.subscribe("something");
    for (const error of refusals(redis)) {
      assertStringIncludes(error.message, "subscriber mode");
    }
    redis.disconnect();
  });

  it("refuses a subscriber as the publisher", async () => {
    const make = async () => {
      const client = createClient({ url: server.url, RESP: 2 });
      client.on("error", () => {});
      return await client.connect();
    };
    const [first, second] = [await make(), await make()];
    await first.subscribe("something", () => {});
    for (const given of [first, { publisher: first, subscriber: second }]) {
      const { message } = await refusal(given);
      assertStringIncludes(message, "subscriber mode");
    }
    first.destroy();
    second.destroy();
  });

  it("refuses an invalid prefix", async () => {
    await using clients = await connect(server);
    const prefixes = [
      "",
      null,
      7,
      {},
      true,
      "a b",
      "a{b",
      "a}b",
      "a*",
      "a?",
      "[a]",
      "a\n",
      "a\0b",
      "x".repeat(1_000),
    ];
    for (const prefix of prefixes) {
      for (const error of refusals(clients, { prefix: prefix as string })) {
        assertEquals(error.argument, "prefix");
        assertStringIncludes(error.message, '"prefix" must be');
      }
    }
  });

  it("refuses invalid options, as every backend does", async () => {
    await using clients = await connect(server);
    const cases: [options: unknown, argument: string][] = [
      [7, "options"],
      [{ cluster: { heartbeatMs: 0 } }, "cluster.heartbeatMs"],
      [{ cluster: { node: "" } }, "cluster.node"],
      [{ streams: { maxSessions: -1 } }, "streams.maxSessions"],
      [{ info: { idleTimeoutMs: 0 } }, "info.idleTimeoutMs"],
      [
        { subscriptions: { closeTimeoutMs: 0 } },
        "subscriptions.closeTimeoutMs",
      ],
      [{ onError: {} }, "onError"],
    ];
    for (const [options, argument] of cases) {
      const error = assertThrows(
        () => new RedisSessions(clients, options as never),
        InvalidArgumentError,
      );
      assertEquals(error.argument, argument);
    }
  });

  it("refuses a server that is too old, and says which version it needs", async () => {
    // The real server, which claims to be an old release.
    await using proxy = await TcpProxy.start(server.port, asRelease5);
    await using clients = await connect(proxy);
    const { message } = await refusal(clients);
    assertStringIncludes(message, "5.0");
    assertStringIncludes(message, "Redis");
  });

  it("refuses a server that allows it nothing", async () => {
    await server.command("ACL", "SETUSER", "guest", "on", ">secret", "+ping");
    const user = { username: "guest", password: "secret" };
    await using clients = await connect({ port: server.port, ...user });
    const { message } = await refusal(clients);
    assertStringIncludes(message, "docs/redis.md#permissions");
  });
});

/** A response of a server, as release 5 would send it. */
function asRelease5(answer: Buffer): Buffer | string {
  const text = answer.toString("latin1");
  // The length must not change, because it is part of the protocol.
  const old = text.replace(
    /(redis_version:)(\d)\.\d(\.\d+)/,
    (_, field, __, patch) => `${field}5.0${patch}`,
  );
  return old === text ? answer : Buffer.from(old, "latin1");
}
