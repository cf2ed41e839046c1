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
