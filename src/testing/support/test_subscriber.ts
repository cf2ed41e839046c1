import { deepStrictEqual } from "node:assert/strict";
import type {
  JSONRPCNotification,
  SubscriptionFilter,
} from "../../protocol/mcp_types.ts";
import type {
  SubscriptionCallbacks,
  SubscriptionManager,
} from "../../contracts/subscription_manager.ts";
import { eventually } from "./timing.ts";

/** A subscriber that records its calls. */
export class TestSubscriber implements SubscriptionCallbacks {
  /** The calls, in order: `"acknowledge"`, a name, `"close: reason"`. */
  readonly calls: string[] = [];
  readonly acknowledge: SubscriptionCallbacks["acknowledge"];
  readonly send: SubscriptionCallbacks["send"];
  readonly close: SubscriptionCallbacks["close"];
  #wake: () => void = () => {};

  /** @param callbacks What its callbacks do in addition. */
  constructor(callbacks: Partial<SubscriptionCallbacks> = {}) {
    this.acknowledge = () => {
      this.#note("acknowledge");
      return callbacks.acknowledge?.();
    };
    this.send = (notification) => {
      this.#note(nameOf(notification));
      return callbacks.send?.(notification);
    };
    this.close = (reason) => {
      this.#note(`close: ${reason}`);
      return callbacks.close?.(reason);
    };
  }

  /** Subscribes; returns what `create` returns. */
  async subscribe(
    manager: SubscriptionManager,
    id: string | number,
    filters: SubscriptionFilter,
    origin = "origin",
  ): Promise<boolean> {
    return await manager.create({ id, origin, filters }, this);
  }

  /**
   * Expects these calls and no others. Waits for a manager that delivers later
   * than `send` resolves.
   */
  async got(...expected: string[]): Promise<void> {
    const calls = await eventually(
      () => this.calls,
      ({ length }) => length >= expected.length,
    );
    deepStrictEqual(calls, expected);
  }

  /** Resolves once a call was made. */
  async called(call: string): Promise<void> {
    while (!this.calls.includes(call)) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #note(call: string): void {
    this.calls.push(call);
    this.#wake();
  }
}

/** A notification that tools changed, identified by its name. */
export function toolsChanged(name = ""): JSONRPCNotification {
  return {
    jsonrpc: "2.0",
    method: "notifications/tools/list_changed",
    params: { name },
  };
}

/** A notification that a resource changed. */
export function resourceUpdated(uri: string): JSONRPCNotification {
  return {
    jsonrpc: "2.0",
    method: "notifications/resources/updated",
    params: { uri },
  };
}

function nameOf({ method, params }: JSONRPCNotification): string {
  return params?.name ?? params?.uri ?? method;
}

/** A promise, and the function that resolves it. */
export class Gate {
  /** The promise. */
  readonly promise: Promise<void>;
  /** Resolves it. */
  open: () => void = () => {};

  constructor() {
    this.promise = new Promise((resolve) => this.open = resolve);
  }
}

/** Waits long enough for everything that is due now to happen. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
