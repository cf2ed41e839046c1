import {
  InMemoryInfoSessionManager,
  InMemorySessions,
  InMemoryStreamSessionManager,
  InMemorySubscriptionManager,
  InvalidArgumentError,
} from "@crossmcp/session-manager";
import {
  BroadcastChannelInfoSessionManager,
  BroadcastChannelSessions,
  BroadcastChannelStreamSessionManager,
  BroadcastChannelSubscriptionManager,
} from "@crossmcp/session-manager/broadcast-channel";
import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import {
  RedisInfoSessionManager,
  RedisSessions,
  RedisStreamSessionManager,
  RedisSubscriptionManager,
} from "@crossmcp/session-manager/redis";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";

type Create = (options: never) => unknown;
type Case = readonly [options: unknown, argument: string, message: string];

const bus = { start: () => {}, publish: () => {}, close: () => {} };
const clients = {} as never;

const SESSIONS: Record<string, Create> = {
  InMemorySessions: (options) => new InMemorySessions(options),
  BroadcastChannelSessions: (options) =>
    new BroadcastChannelSessions("options", options),
  ClusterSessions: (options) => new ClusterSessions(bus as never, options),
  RedisSessions: (options) => new RedisSessions(clients, options),
};
const STREAMS: Record<string, Create> = {
  InMemoryStreamSessionManager: (options) =>
    new InMemoryStreamSessionManager(options),
  BroadcastChannelStreamSessionManager: (options) =>
    new BroadcastChannelStreamSessionManager("options", options),
  RedisStreamSessionManager: (options) =>
    new RedisStreamSessionManager(clients, options),
};
const INFO: Record<string, Create> = {
  InMemoryInfoSessionManager: (options) =>
    new InMemoryInfoSessionManager(options),
  BroadcastChannelInfoSessionManager: (options) =>
    new BroadcastChannelInfoSessionManager("options", options),
  RedisInfoSessionManager: (options) =>
    new RedisInfoSessionManager(clients, options),
};
const SUBSCRIPTIONS: Record<string, Create> = {
  InMemorySubscriptionManager: (options) =>
    new InMemorySubscriptionManager(options),
  BroadcastChannelSubscriptionManager: (options) =>
    new BroadcastChannelSubscriptionManager("options", options),
  RedisSubscriptionManager: (options) =>
    new RedisSubscriptionManager(clients, options),
};

const UNKNOWN_SESSIONS_OPTIONS: readonly Case[] = [
  [
    { streams: { keepAlive: 1_000 } },
    "streams.keepAlive",
    'Unknown option "streams.keepAlive". Did you mean "streams.keepAliveMs"?',
  ],
  [
    { maxSessions: 5 },
    "maxSessions",
    'Did you mean "streams.maxSessions" or "info.maxSessions"?',
  ],
  [{ replay: {} }, "replay", 'Did you mean "streams.replay"?'],
  [
    { streams: { backlog: { maxByte: 1 } } },
    "streams.backlog.maxByte",
    'Did you mean "streams.backlog.maxBytes"?',
  ],
  [
    { streams: { replay: { maxEvent: 1 } } },
    "streams.replay.maxEvent",
    'Did you mean "streams.replay.maxEvents"?',
  ],
  [{ onerror: () => {} }, "onerror", 'Did you mean "onError"?'],
  [
    { info: { idleMs: 1 } },
    "info.idleMs",
    'Did you mean "info.idleTimeoutMs"?',
  ],
  [
    { subscriptions: { deadlineMs: 1 } },
    "subscriptions.deadlineMs",
    'Did you mean "subscriptions.closeTimeoutMs"?',
  ],
  [
    { http: { maxBodyByte: 1 } },
    "http.maxBodyByte",
    'Did you mean "http.maxBodyBytes"?',
  ],
  [{ colour: "red" }, "colour", "Valid options are: streams, "],
];

function assertRejectsOptions(create: Create, cases: readonly Case[]): void {
  for (const [options, argument, message] of cases) {
    const error = assertThrows(
      () => create(options as never),
      InvalidArgumentError,
      message,
    );
    assertEquals(error.argument, argument);
  }
}

describe("Unknown options", () => {
  for (const [name, create] of Object.entries(SESSIONS)) {
    it(`O6 ${name} rejects unknown options and suggests the right name`, () => {
      assertRejectsOptions(create, UNKNOWN_SESSIONS_OPTIONS);
    });
  }

  for (const [name, create] of Object.entries(SESSIONS).slice(1)) {
    it(`O6 ${name} rejects unknown cluster options`, () => {
      assertRejectsOptions(create, [
        [
          { cluster: { beatMs: 1_000 } },
          "cluster.beatMs",
          'Did you mean "cluster.heartbeatMs"?',
        ],
        [
          { cluster: { answerMs: 1_000 } },
          "cluster.answerMs",
          'Did you mean "cluster.requestTimeoutMs"?',
        ],
        [{ node: "a" }, "node", 'Did you mean "cluster.node"?'],
      ]);
    });
  }

  it("O6 InMemorySessions rejects cluster options", () => {
    assertThrows(
      () => new InMemorySessions({ cluster: {} } as never),
      InvalidArgumentError,
      'Unknown option "cluster"',
    );
  });

  for (const [name, create] of Object.entries(STREAMS)) {
    it(`O6 ${name} rejects unknown options`, () => {
      assertRejectsOptions(create, [
        [{ keepAlive: 1 }, "keepAlive", 'Did you mean "keepAliveMs"?'],
        [
          { backlog: { maxAge: 1 } },
          "backlog.maxAge",
          'Did you mean "backlog.maxAgeMs"?',
        ],
        [{ streams: {} }, "streams", "Unknown option"],
      ]);
    });
  }

  for (const [name, create] of Object.entries(INFO)) {
    it(`O6 ${name} rejects unknown options`, () => {
      assertRejectsOptions(create, [
        [{ idleMs: 1 }, "idleMs", 'Did you mean "idleTimeoutMs"?'],
      ]);
    });
  }

  for (const [name, create] of Object.entries(SUBSCRIPTIONS)) {
    it(`O6 ${name} rejects unknown options`, () => {
      assertRejectsOptions(create, [
        [{ deadlineMs: 1 }, "deadlineMs", 'Did you mean "closeTimeoutMs"?'],
      ]);
    });
  }

  it("O6 close rejects unknown options and closes nothing", async () => {
    await using sessions = new InMemorySessions();
    const error = await assertRejects(
      () => sessions.close({ drain: 1_000 } as never),
      InvalidArgumentError,
      'Did you mean "drainMs"?',
    );
    assertEquals(error.argument, "drain");
    await sessions.info.setLogLevel("s", "info");
    assertEquals(await sessions.info.getLogLevel("s"), "info");
  });

  it("O6 guard rejects unknown options before it calls the transport", async () => {
    await using sessions = new InMemorySessions();
    await assertRejects(
      () =>
        sessions.guard(
          new Request("http://localhost/mcp"),
          () => {
            throw new Error("The transport was called.");
          },
          { pricipal: "alice" } as never,
        ),
      InvalidArgumentError,
      'Did you mean "principal"?',
    );
  });

  it("O6 unknown options with the value undefined are ignored", async () => {
    await using sessions = new InMemorySessions(
      { streams: { keepAlive: undefined } } as never,
    );
    assertEquals(sessions.stats().attached, 0);
  });
});
