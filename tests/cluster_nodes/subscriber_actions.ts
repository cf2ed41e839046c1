import type { SubscriptionFilter } from "@crossmcp/session-manager";
import { TestSubscriber } from "../../src/testing/support/test_subscriber.ts";
import type { NodeActions } from "./node_actions.ts";

/** Subscribers of a node. Runs where the node is. */
export class SubscriberActions {
  readonly #node: NodeActions;
  readonly #subscribers: Map<string, TestSubscriber> = new Map();

  /** @param node The node that they subscribe at. */
  constructor(node: NodeActions) {
    this.#node = node;
  }

  /** Subscribes; returns whether the ID was free. */
  async subscribe(
    id: string | number,
    origin: string,
    filters: SubscriptionFilter,
  ): Promise<boolean> {
    const subscriber = new TestSubscriber();
    const { subscriptions } = this.#node.sessions;
    const isNew = await subscriber.subscribe(
      subscriptions,
      id,
      filters,
      origin,
    );
    if (isNew) this.#subscribers.set(nameOf(id, origin), subscriber);
    return isNew;
  }

  /** Waits for a call of a subscriber; returns all of its calls. */
  async called(
    id: string | number,
    origin: string,
    call: string,
  ): Promise<string[]> {
    const subscriber = this.#subscribers.get(nameOf(id, origin));
    if (subscriber === undefined) throw new Error("No such subscriber.");
    await subscriber.called(call);
    return [...subscriber.calls];
  }
}

function nameOf(id: string | number, origin: string): string {
  return JSON.stringify([id, origin]);
}
