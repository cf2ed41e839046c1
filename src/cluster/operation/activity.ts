import type {
  FindActivity,
  SessionActivity,
} from "../../operation/session_list.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import { areActivities } from "../messaging/protocol_items.ts";
import type { Activity } from "../messaging/rpc_protocol.ts";

/** What happens in sessions on this node. */
export interface LocalActivity {
  /** Returns the unread bytes of a session; undefined without a stream. */
  readonly queuedBytes: (id: string) => number | undefined;
  readonly openRequests: (id: string) => number;
  /** Returns how many milliseconds ago a session was used, if this is known. */
  readonly age: (id: string) => number | undefined;
}

/**
 * Asks all nodes what happens in sessions. Nodes that do not respond in time are
 * left out.
 *
 * @param node This node.
 * @param local What happens on it.
 */
export function clusterActivity(
  node: ClusterNode,
  local: LocalActivity,
): FindActivity {
  const describe = (ids: readonly string[]): Activity[] =>
    ids.flatMap((id): Activity[] => {
      const queuedBytes = local.queuedBytes(id) ?? null;
      const openRequests = local.openRequests(id);
      const age = local.age(id) ?? null;
      const isIdle = queuedBytes === null && openRequests === 0 && age === null;
      return isIdle ? [] : [[id, queuedBytes, openRequests, age]];
    });
  node.respond("activity", ({ ids }) => describe(ids));
  return async (ids) => {
    const all = new Map<string, SessionActivity>();
    const add = (name: string, activities: readonly Activity[]) => {
      for (const [id, queuedBytes, openRequests, age] of activities) {
        const known = all.get(id);
        const isStreaming = queuedBytes !== null;
        all.set(id, {
          node: isStreaming ? name : known?.node,
          isStreaming: isStreaming || known?.isStreaming === true,
          queuedBytes: queuedBytes ?? known?.queuedBytes ?? 0,
          openRequests: openRequests + (known?.openRequests ?? 0),
          age: Math.min(age ?? Infinity, known?.age ?? Infinity),
        });
      }
    };
    add(node.name, describe(ids));
    const responses = await node.request({ kind: "activity", ids });
    for (const [name, response] of responses) {
      if (areActivities(response)) add(name, response);
    }
    return all;
  };
}
