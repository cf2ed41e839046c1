import {
  connectHttp,
  connectModern,
  connectSse,
  summary,
  whoAmI,
} from "./clients.ts";
import type { Engine } from "./serve.ts";
import { type Managers, NEWS, startServer, WEATHER } from "./server.ts";
import { until, within } from "./until.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";

/** What four clients saw. */
export interface ScenarioResult {
  /** What the server remembers of each. */
  readonly known: readonly unknown[];
  /** The notifications that each got. */
  readonly notifications: readonly string[][];
  /** The status of a second stream for a session. */
  readonly secondStream: number;
  /** What is left of a session after DELETE. */
  readonly afterDelete: {
    readonly stream: boolean;
    readonly clientInfo: "known" | "unknown";
  };
  /** The part of the listener's filter that the server honored. */
  readonly honored: object;
  /** How the listener's subscription ended. */
  readonly subscription: "local" | "graceful" | "remote";
}

/**
 * Plays the ordinary life of four clients of both eras, over both transports.
 *
 * @param engine What serves.
 * @param managers Makes the managers of one transport.
 * @returns What the clients saw; {@linkcode EXPECTED} where all is well.
 */
export async function runBasicScenario(
  engine: Engine,
  managers: () => Managers,
): Promise<ScenarioResult> {
  const own = managers();
  await using server = await startServer({
    engine,
    managers: own,
    sseManagers: managers(),
  });
  const { mcp, httpUrl } = server;
  await using alice = await connectHttp(httpUrl, own.streams, {
    name: "alice",
    capabilities: { sampling: {}, roots: { listChanged: true } },
  });
  await using bob = await connectHttp(httpUrl, own.streams, { name: "bob" });
  await using carol = await connectModern(httpUrl, { name: "carol" });
  await using dave = await connectSse(server.sseUrl, { name: "dave" });

  await alice.client.setLoggingLevel("warning");
  const known: unknown[] = [];
  for (const { client } of [alice, bob, carol, dave]) {
    known.push(await whoAmI(client));
  }

  await alice.client.subscribeResource({ uri: NEWS });
  await bob.client.subscribeResource({ uri: WEATHER });
  await dave.client.subscribeResource({ uri: NEWS });
  const subscription = await carol.client.listen({
    toolsListChanged: true,
    resourceSubscriptions: [NEWS, WEATHER],
  });
  mcp.changed("resource", NEWS);
  mcp.changed("resource", WEATHER);
  await until(() => alice.notifications.length >= 1, "alice's news");
  await until(() => bob.notifications.length >= 1, "bob's weather");
  await until(() => dave.notifications.length >= 1, "dave's news");
  await until(() => carol.notifications.length >= 2, "both of carol's");
  await alice.client.unsubscribeResource({ uri: NEWS });
  mcp.changed("resource", NEWS);
  await until(() => dave.notifications.length >= 2, "dave's news");
  await bob.client.callTool({ name: "rename-tools" });
  for (const { notifications } of [alice, bob, carol, dave]) {
    await until(
      () => summary(notifications).at(-1) === TOOLS_CHANGED,
      "the list change",
    );
  }

  const second = await fetch(httpUrl, {
    headers: { "mcp-session-id": alice.sessionId },
  });
  await second.body?.cancel();

  await alice.transport.terminateSession();
  await until(() => alice.errors.length > 0, "the end of alice's stream");
  const afterDelete = {
    stream: await own.streams.has(alice.sessionId),
    clientInfo: await own.info.getClientInfo(alice.sessionId)
      .then(() => "known" as const, () => "unknown" as const),
  };
  mcp.changed("tools");
  await until(() => bob.notifications.length >= 3, "bob's list change");
  await until(() => carol.notifications.length >= 5, "carol's list change");
  await until(() => dave.notifications.length >= 4, "dave's list change");
  await own.subscriptions.closeAll(undefined, "closed");

  return {
    known,
    notifications: [alice, bob, carol, dave].map(({ notifications }) =>
      summary(notifications)
    ),
    secondStream: second.status,
    afterDelete,
    honored: { ...subscription.honoredFilter },
    subscription: await within(subscription.closed, "the end of carol's"),
  };
}

/** What the clients see when all is well. */
export const EXPECTED: ScenarioResult = {
  known: [
    {
      clientInfo: { name: "alice", version: "1.2.3" },
      clientCapabilities: { sampling: {}, roots: { listChanged: true } },
      logLevel: "warning",
    },
    ...["bob", "carol", "dave"].map((name) => ({
      clientInfo: { name, version: "1.2.3" },
      clientCapabilities: {},
    })),
  ],
  notifications: [
    [`${UPDATED} ${NEWS}`, TOOLS_CHANGED],
    [`${UPDATED} ${WEATHER}`, TOOLS_CHANGED, TOOLS_CHANGED],
    [
      `${UPDATED} ${NEWS}`,
      `${UPDATED} ${WEATHER}`,
      `${UPDATED} ${NEWS}`,
      TOOLS_CHANGED,
      TOOLS_CHANGED,
    ],
    [
      `${UPDATED} ${NEWS}`,
      `${UPDATED} ${NEWS}`,
      TOOLS_CHANGED,
      TOOLS_CHANGED,
    ],
  ],
  secondStream: 409,
  afterDelete: { stream: false, clientInfo: "unknown" },
  honored: { toolsListChanged: true, resourceSubscriptions: [NEWS, WEATHER] },
  subscription: "graceful",
};
