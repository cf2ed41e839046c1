import type { ChaosClient } from "../client.ts";
import type { History, Sent } from "../history.ts";
import type { Store } from "../stores/store.ts";

/** How long what a node has sent may be in its connection, in milliseconds. */
const IN_FLIGHT_MS = 500;

/** What a run promises its clients. */
export interface Promised {
  readonly replay: boolean;
  readonly store: Pick<Store, "keepsEvents">;
}

/**
 * Returns which messages of this round are missing: those that a client had to
 * get, without a reset afterwards.
 */
export function missingMessages(
  history: History,
  { replay, store }: Promised,
): string[] {
  const since = history.rounds.at(-1)!;
  const isStored = replay && store.keepsEvents;
  // Losses are allowed where they are reported (guarantees.md, "Busy nodes").
  if (!isStored && hasReportedLoss(history)) return [];
  const missing: string[] = [];
  for (const client of history.clients) {
    if (client.state !== "live") continue;
    const got = new Set(client.received.map(({ text }) => text));
    const lastReset = client.received.findLast(({ text }) =>
      text === undefined
    )?.at ?? -Infinity;
    for (const sent of history.sent.values()) {
      if (sent.at < since || got.has(sent.text) || sent.at <= lastReset) {
        continue;
      }
      if (
        isFor(sent, client) && isSettled(sent, history, isStored) &&
        (isStored ||
          !hasMoved(sent, client, history) &&
            !isUnmet(sent, client, history)) &&
        (replay ? isAnchored(sent, client) : isAttached(sent, client))
      ) {
        missing.push(
          `${client.name} lacks "${sent.text}", sent at ${
            Math.round(sent.at)
          } ms`,
        );
      }
    }
  }
  return missing;
}

/** Returns whether a message is for a client, whose session had begun. */
function isFor({ to, at }: Sent, client: ChaosClient): boolean {
  return client.beganAt < at && (to === undefined || to.has(client));
}

/** A node that is gone cannot send what it kept in an outage. */
function isSettled(sent: Sent, history: History, isStored: boolean): boolean {
  const { goneAt } = sent.sender;
  if (goneAt === Infinity) return true;
  const settledAt = sent.settledAt + (isStored ? 0 : IN_FLIGHT_MS);
  return settledAt < goneAt && !history.isDisturbed(sent.at, settledAt);
}

/**
 * Whether a client has moved in the outage in which a message was sent, so that
 * its sender did not know where it was (guarantees.md).
 */
function hasMoved(
  sent: Sent,
  { connections }: ChaosClient,
  history: History,
): boolean {
  const since = history.rounds.at(-1)!;
  return history.isDisturbed(sent.at, sent.settledAt) &&
    connections.some(({ requestedAt }) =>
      requestedAt > since && history.isDisturbed(requestedAt, requestedAt)
    );
}

/**
 * Whether the sender had never met the node of a client, because one of both had
 * started in an outage (guarantees.md, "Before `ready` resolves").
 */
function isUnmet(
  { sender, met, at }: Sent,
  { connections }: ChaosClient,
  history: History,
): boolean {
  const node = connections.findLast(({ requestedAt }) => requestedAt <= at)
    ?.node;
  if (node === undefined || met.has(node.name)) return false;
  return [sender, node].some(({ startedAt }) =>
    history.isDisturbed(startedAt, at)
  );
}

/**
 * Whether a client could resume after a position before a message. Its session
 * can be reached once it has had a stream (guarantees.md, "Several workers").
 */
function isAnchored(sent: Sent, client: ChaosClient): boolean {
  const isReachable = client.connections.some(({ connectedAt }) =>
    connectedAt < sent.at
  );
  return isReachable && client.anchoredAt < sent.at || isAttached(sent, client);
}

/** Whether a client has had the same stream since before a message. */
function isAttached({ at }: Sent, { connections }: ChaosClient): boolean {
  const last = connections.at(-1);
  return last !== undefined && last.connectedAt < at &&
    last.closedAt === Infinity;
}

/** Whether a node has counted what it lost, in this round. */
function hasReportedLoss({ nodes }: History): boolean {
  return nodes.some((node) => node.lost > node.lostBefore);
}
