import { until } from "../e2e/support/until.ts";
import type { Actions } from "./actions.ts";
import { checkDelivery } from "./checks/delivery.ts";
import { missingMessages } from "./checks/missing.ts";
import { checkReports } from "./checks/reports.ts";
import { checkResets } from "./checks/resets.ts";
import { checkSessions } from "./checks/sessions.ts";
import type { History } from "./history.ts";
import type { Schedule } from "./schedule.ts";
import { PATIENCE_MS } from "./setting.ts";
import type { Store } from "./stores/store.ts";

const FEWEST_NODES = 3;

/**
 * Ends all faults, waits until everything works again, and then checks what
 * happened.
 */
export async function settle(
  actions: Actions,
  { replay }: Schedule,
  store: Store,
  history: History,
): Promise<void> {
  const round = history.rounds.length - 1;
  await actions.faults.heal();
  await until(
    () => actions.pending.names.length === 0,
    () => `all calls to be settled: ${actions.pending.names}`,
    PATIENCE_MS,
  );
  const { nodes, live } = actions;
  while (nodes.alive.length < FEWEST_NODES) await nodes.start();
  for (const [at, client] of live.entries()) {
    if (!client.wantsStream) {
      client.open(nodes.alive[at % nodes.alive.length]!, false);
    }
  }
  await nodes.meet();
  await sendFromAll(actions);
  const missing = () => missingMessages(history, { replay, store });
  await hasEverything(actions, missing);
  await answersEverywhere(actions);
  history.calmSince[round] = history.now;
  // Nothing may go wrong from here on.
  await sendFromAll(actions);
  await hasEverything(actions, missing);
  await checkSessions(actions, history);
  for (const problem of checkDelivery(history, replay)) {
    history.violate(problem);
  }
  for (const problem of checkResets(history, store)) history.violate(problem);
  for (const problem of checkReports(history, round)) history.violate(problem);
  for (const problem of await store.inspect?.() ?? []) {
    history.violate(problem);
  }
}

/** Sends something to each client and to everyone, from each node. */
async function sendFromAll(actions: Actions): Promise<void> {
  const clients = new Set(actions.live);
  const sends = actions.nodes.alive.flatMap((node) => [
    actions.send(node, undefined),
    ...(clients.size > 0 ? [actions.send(node, clients)] : []),
  ]);
  await Promise.all(sends);
}

async function hasEverything(
  { live }: Actions,
  missing: () => string[],
): Promise<void> {
  await until(
    () =>
      live.every((client) => client.state !== "live" || client.isConnected) &&
      missing().length === 0,
    () =>
      `the clients to be connected and to have everything\n${
        [
          ...live.filter(({ isConnected }) => !isConnected).map(({ name }) =>
            `${name} is not connected`
          ),
          ...missing(),
        ].join("\n")
      }\n`,
    PATIENCE_MS,
  );
}

/** Waits until each node serves each session, and none that has ended. */
async function answersEverywhere({ nodes, live }: Actions): Promise<void> {
  for (const node of nodes.alive) {
    for (const client of live) {
      const statuses = new Set<number | undefined>();
      await until(
        async () => {
          if (client.state !== "live") return true;
          const status = await client.ping(node);
          statuses.add(status);
          return status === 200;
        },
        () => `${node.name} to serve ${client.name}, got ${[...statuses]}`,
        PATIENCE_MS,
      );
      client.knownTo.add(node);
    }
  }
}
