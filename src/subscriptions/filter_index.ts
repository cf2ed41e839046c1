import type {
  JSONRPCNotification,
  SubscriptionFilter,
} from "../protocol/mcp_types.ts";

/**
 * Finds the members that asked for a notification without looking at the others.
 * It answers what `matchesSubscription` would, for all members at once.
 */
export class FilterIndex<Member> {
  readonly #members: Map<string, Set<Member>> = new Map();

  /**
   * Adds a member under what it asked for.
   *
   * @returns Removes it again.
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

  /** The members that asked for a notification, as they are at this moment. */
  match(notification: JSONRPCNotification): Member[] {
    const topic = topicOf(notification);
    return topic === undefined ? [] : [...this.#members.get(topic) ?? []];
  }
}

// A topic is a method or, for one resource, the method and its URI. No method
// holds a space, so the two cannot be confused.
const TOOLS = "notifications/tools/list_changed";
const PROMPTS = "notifications/prompts/list_changed";
const RESOURCES = "notifications/resources/list_changed";
const RESOURCE = "notifications/resources/updated";

function topicsOf(filters: SubscriptionFilter): Set<string> {
  const topics = new Set<string>();
  if (filters.toolsListChanged === true) topics.add(TOOLS);
  if (filters.promptsListChanged === true) topics.add(PROMPTS);
  if (filters.resourcesListChanged === true) topics.add(RESOURCES);
  for (const uri of filters.resourceSubscriptions ?? []) {
    topics.add(`${RESOURCE} ${uri}`);
  }
  return topics;
}

function topicOf({ method, params }: JSONRPCNotification): string | undefined {
  switch (method) {
    case TOOLS:
    case PROMPTS:
    case RESOURCES:
      return method;
    case RESOURCE: {
      const uri: unknown = params?.uri;
      return typeof uri === "string" ? `${RESOURCE} ${uri}` : undefined;
    }
    default:
      return undefined;
  }
}
