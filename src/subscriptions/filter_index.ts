import { LISTENABLE } from "../protocol/listenable.ts";
import type {
  JSONRPCNotification,
  SubscriptionFilter,
} from "../protocol/mcp_types.ts";

/**
 * Finds the members whose filters match a notification, without visiting the
 * others. The result is that of `matchesSubscription` for every member.
 */
export class FilterIndex<Member> {
  readonly #members: Map<string, Set<Member>> = new Map();

  /**
   * Adds a member under its filters.
   *
   * @returns Removes it.
   */
  add(member: Member, filters: SubscriptionFilter): () => void {
    const topics = topicsOf(filters);
    for (const topic of topics) {
      const members = this.#members.get(topic);
      if (members === undefined) this.#members.set(topic, new Set([member]));
      else members.add(member);
    }
    return () => {
      for (const topic of topics) {
        const members = this.#members.get(topic);
        if (members?.delete(member) && members.size === 0) {
          this.#members.delete(topic);
        }
      }
    };
  }

  /** Returns the members that match a notification, as of now. */
  match(notification: JSONRPCNotification): Member[] {
    const topic = topicOf(notification);
    return topic === undefined ? [] : [...this.#members.get(topic) ?? []];
  }
}

// A topic is a method or, for one resource, the method and its URI. No method
// contains a space, so the two cannot be confused.
function topicsOf(filters: SubscriptionFilter): Set<string> {
  const topics = new Set<string>();
  if (filters.toolsListChanged === true) topics.add(LISTENABLE.tools);
  if (filters.promptsListChanged === true) topics.add(LISTENABLE.prompts);
  if (filters.resourcesListChanged === true) topics.add(LISTENABLE.resources);
  for (const uri of filters.resourceSubscriptions ?? []) {
    topics.add(`${LISTENABLE.resource} ${uri}`);
  }
  return topics;
}

function topicOf({ method, params }: JSONRPCNotification): string | undefined {
  switch (method) {
    case LISTENABLE.tools:
    case LISTENABLE.prompts:
    case LISTENABLE.resources:
      return method;
    case LISTENABLE.resource: {
      const uri: unknown = params?.uri;
      return typeof uri === "string"
        ? `${LISTENABLE.resource} ${uri}`
        : undefined;
    }
    default:
      return undefined;
  }
}
