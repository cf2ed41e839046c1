import type { History } from "../history.ts";
import type { Store } from "../stores/store.ts";

/**
 * Returns the resets for which there is no reason: a client gets everything
 * unless something failed.
 */
export function checkResets(
  history: History,
  { keepsEvents }: Pick<Store, "keepsEvents">,
): string[] {
  return history.clients.flatMap((client) =>
    client.received.flatMap(({ text, at, connection }) => {
      if (text !== undefined) return [];
      // Without a store, what a client missed is gone with the node it left.
      const isNodeGone = !keepsEvents &&
        client.connections.some(({ node, number }) =>
          number <= connection.number && node.goneAt < at
        );
      const { requestedAt } = connection;
      if (isNodeGone || history.isDisturbed(requestedAt, at)) return [];
      return [
        `${client.name} got a reset at ${
          Math.round(at)
        } ms on ${connection.node.name}, and nothing failed`,
      ];
    })
  );
}
