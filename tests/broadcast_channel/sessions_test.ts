import {
  InvalidArgumentError,
  SessionNotFoundError,
  type Sessions,
} from "@crossmcp/session-manager";
import {
  BroadcastChannelInfoSessionManager,
  BroadcastChannelSessions,
  BroadcastChannelStreamSessionManager,
  BroadcastChannelSubscriptionManager,
} from "@crossmcp/session-manager/broadcast-channel";
import {
  testInfoSessionManager,
  testSessions,
  testStreamSessionManager,
  testSubscriptionManager,
} from "@crossmcp/session-manager/testing";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { describe, it } from "node:test";
import { openStream } from "../support/streams.ts";
import { EMPTY_STATS } from "../support/empty_stats.ts";

/**
 * Otherwise they would wait for it when they are asked about an unknown
 * session.
 */
async function ready<Node extends { ready: Promise<void> }>(
  node: Node,
): Promise<Node> {
  await node.ready;
  return node;
}
const cluster = { heartbeatMs: 200 };

describe("BroadcastChannelStreamSessionManager", () => {
  testStreamSessionManager({
    test: it,
    create: (limits) =>
      ready(
        new BroadcastChannelStreamSessionManager(crypto.randomUUID(), {
          ...limits,
          cluster,
        }),
      ),
    dispose,
  });
});

describe("BroadcastChannelInfoSessionManager", () => {
  testInfoSessionManager({
    test: it,
    create: (limits) =>
      ready(
        new BroadcastChannelInfoSessionManager(crypto.randomUUID(), {
          ...limits,
          cluster,
        }),
      ),
    dispose,
  });
});

describe("BroadcastChannelSubscriptionManager", () => {
  testSubscriptionManager({
    test: it,
    create: (limits) =>
      ready(
        new BroadcastChannelSubscriptionManager(crypto.randomUUID(), {
          ...limits,
          cluster,
        }),
      ),
    dispose,
  });
});

describe("BroadcastChannelSessions", () => {
  const names = new WeakMap<Sessions, string>();
  testSessions({
    test: it,
    create: (options) => {
      const name = crypto.randomUUID();
      const sessions = new BroadcastChannelSessions(name, {
        ...options,
        cluster,
      });
      names.set(sessions, name);
      return ready(sessions);
    },
    createNode: (beside, options) => {
      const name = names.get(beside)!;
      const sessions = new BroadcastChannelSessions(name, {
        ...options,
        cluster,
      });
      names.set(sessions, name);
      return ready(sessions);
    },
  });

  it("works as the only node", async () => {
    const sessions = new BroadcastChannelSessions(crypto.randomUUID(), {
      cluster: { node: "alone" },
    });
    assertInstanceOf(sessions.ready, Promise);
    await sessions.ready;
    assertEquals(sessions.nodes(), [{ name: "alone", isSelf: true }]);
    const { cluster, ...others } = sessions.stats();
    assertEquals(others, EMPTY_STATS);
    const { nodes, resent, lost, ignored } = cluster;
    assertEquals([nodes, resent, lost, ignored], [1, 0, 0, 0]);
    await sessions.close();
  });

  it("knows the other nodes of its name when it is ready", async () => {
    const name = crypto.randomUUID();
    const first = new BroadcastChannelSessions(name, {
      cluster: { node: "first" },
    });
    await first.streams.create("a", openStream().controller);
    await first.info.setLogLevel("a", "alert");
    const second = new BroadcastChannelSessions(name, {
      cluster: { node: "second" },
    });
    await second.ready;
    assertEquals(
      [...second.nodes()].sort((one, other) => one.name < other.name ? -1 : 1),
      [
        { name: "first", isSelf: false },
        { name: "second", isSelf: true },
      ],
    );
    assertEquals(await second.streams.has("a"), true);
    assertEquals(await second.info.getLogLevel("a"), "alert");
    assertEquals(second.stats().cluster.nodes, 2);
    await Promise.all([first.close(), second.close()]);
  });

  it("is ready at once if there are no other nodes", async () => {
    const name = crypto.randomUUID();
    const first = new BroadcastChannelSessions(name);
    await first.streams.create("a", openStream().controller);
    await first.info.addSubscription("a", "file:///a");
    const nodes = Array.from(
      { length: 4 },
      () => new BroadcastChannelSessions(name),
    );
    const [second, third, fourth, fifth] = nodes as [
      BroadcastChannelSessions,
      BroadcastChannelSessions,
      BroadcastChannelSessions,
      BroadcastChannelSessions,
    ];
    assertEquals(await second.streams.has("a"), true);
    assertEquals(await third.info.getSubscriptions("file:///a"), ["a"]);
    const error = await assertRejects(() => fourth.info.getLogLevel("a"));
    assertInstanceOf(error, SessionNotFoundError);
    await fifth.streams.create("b", openStream().controller);
    assertEquals(await first.streams.has("b"), true);
    await Promise.all([first, ...nodes].map((node) => node.close()));
  });

  it("settles ready when it is closed before", async () => {
    const sessions = new BroadcastChannelSessions(crypto.randomUUID());
    const { ready } = sessions;
    await sessions.close();
    await ready;
    await sessions.close();
  });

  it("refuses invalid names, whichever class gets them", () => {
    for (const name of [undefined, null, "", 7, {}, [], Symbol("a"), true]) {
      for (
        const Class of [
          BroadcastChannelSessions,
          BroadcastChannelStreamSessionManager,
          BroadcastChannelInfoSessionManager,
          BroadcastChannelSubscriptionManager,
        ]
      ) {
        const error = assertThrows(
          () => new Class(name as never),
          InvalidArgumentError,
        );
        assertEquals(error.argument, "name");
        assert(error.message.includes('"name"'), error.message);
      }
    }
  });

  it("refuses invalid options, and names them", () => {
    const numbers = [
      -1,
      0,
      Number.NaN,
      Infinity,
      -Infinity,
      1e12,
      "1000",
      null,
      {},
      10n,
      true,
      false,
    ];
    const cases: [options: unknown, argument: string][] = [
      ...numbers.flatMap((value): [unknown, string][] => [
        [{ cluster: { heartbeatMs: value } }, "cluster.heartbeatMs"],
        [{ cluster: { requestTimeoutMs: value } }, "cluster.requestTimeoutMs"],
      ]),
      ...["", 7, null, {}, "x".repeat(10_000)].map((
        value,
      ): [unknown, string] => [
        { cluster: { node: value } },
        "cluster.node",
      ]),
      [{ cluster: 7 }, "cluster"],
      [{ cluster: null }, "cluster"],
      [7, "options"],
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
        () =>
          new BroadcastChannelSessions(crypto.randomUUID(), options as never),
        InvalidArgumentError,
        `"${argument}" must be`,
      );
      assertEquals(error.argument, argument);
    }
  });
});

function dispose(manager: unknown): Promise<void> {
  return Promise.resolve((manager as AsyncDisposable)[Symbol.asyncDispose]());
}
