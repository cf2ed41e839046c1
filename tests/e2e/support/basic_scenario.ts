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

/** The observations of four clients. */
export interface ScenarioResult {
  /** The client data that the server stored for each client. */
  readonly clientData: readonly unknown[];
  /** The notifications that each client received. */
  readonly notifications: readonly string[][];
  /** The status of a second GET request for the same session. */
  readonly secondStream: number;
  /** What remains of a session after DELETE. */
  readonly afterDelete: {
    readonly stream: boolean;
    readonly clientInfo: "known" | "unknown";
  };
  /** The part of the subscription's filter that the server honored. */
  readonly honored: object;
  /** How the subscription ended. */
  readonly subscription: "local" | "graceful" | "remote";
}

/**
 * Runs a typical session of four clients, in both eras and over both
 * transports.
 *
 * @param engine The server to use.
 * @param managers Creates the managers of one transport.
 * @returns The observations of the clients; {@linkcode EXPECTED} on success.
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
  const clientData: unknown[] = [];
  for (const { client } of [alice, bob, carol, dave]) {
    clientData.push(await whoAmI(client));
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
  await until(() => carol.notifications.length >= 2, "Carol's two updates");
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
  await until(() => alice.errors.length > 0, "Alice's stream to end");
  const afterDelete = {
    stream: await own.streams.has(alice.sessionId),
    clientInfo: await own.info.getClientInfo(alice.sessionId)
      .then(() => "known" as const, () => "unknown" as const),
  };
  mcp.changed("tools");
  await until(() => bob.notifications.length >= 3, "Bob's list change");
  await until(() => carol.notifications.length >= 5, "Carol's list change");
  await until(() => dave.notifications.length >= 4, "Dave's list change");
  await own.subscriptions.closeAll(undefined, "closed");

  return {
    clientData,
    notifications: [alice, bob, carol, dave].map(({ notifications }) =>
      summary(notifications)
    ),
    secondStream: second.status,
    afterDelete,
    honored: { ...subscription.honoredFilter },
    subscription: await within(
      subscription.closed,
      "Carol's subscription to end",
    ),
  };
}

/** The expected observations. */
export const EXPECTED: ScenarioResult = {
  clientData: [
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
