import type {
  InfoSessionManager,
  StreamSessionManager,
  SubscriptionManager,
} from "@crossmcp/session-manager";
import { until } from "../e2e/support/until.ts";
import type { ClientActions } from "./client_actions.ts";
import type { MessageActions } from "./message_actions.ts";
import type { NodeActions } from "./node_actions.ts";
import {
  type Call,
  type Outcome,
  type Remote,
  remote,
} from "./remote_calls.ts";
import type { SubscriberActions } from "./subscriber_actions.ts";
import type { UpdateActions } from "./update_actions.ts";

/**
 * How long a response may take: on a busy machine others have their turn first.
 */
export const PATIENCE_MS = 30_000;

/** A node in a thread or process of its own. Every call runs there. */
export abstract class RemoteNode {
  readonly node: Remote<NodeActions> = this.remote("node");
  readonly streams: Remote<Omit<StreamSessionManager, "create">> = this.remote(
    "streams",
  );
  readonly info: Remote<InfoSessionManager> = this.remote("info");
  readonly subscriptions: Remote<Omit<SubscriptionManager, "create">> = this
    .remote("subscriptions");
  readonly messages: Remote<MessageActions> = this.remote("messages");
  readonly clients: Remote<ClientActions> = this.remote("clients");
  readonly subscribers: Remote<SubscriberActions> = this.remote("subscribers");
  readonly updates: Remote<UpdateActions> = this.remote("updates");
  readonly #waiting: Map<number, Waiting> = new Map();
  #lastCall = 0;
  #failure: Error | undefined;
  #isOver = false;

  /** Sends a call to where the node is. */
  protected abstract post(call: Call): void;

  /** Kills it, whatever it is doing. */
  abstract kill(): Promise<void>;

  /**
   * Closes its sessions and ends it.
   *
   * @throws The error that ended it earlier, for example an unhandled
   * rejection.
   */
  async stop(): Promise<void> {
    if (!this.#isOver) {
      await this.node.close().catch(() => {});
      await this.kill();
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Waits for it to end by itself. */
  async end(): Promise<void> {
    await until(() => this.#isOver, "the end of a node", PATIENCE_MS);
  }

  /** An object where the node is. */
  protected remote<Target>(object: string): Remote<Target> {
    return remote((method, args) => this.#ask(object, method, args));
  }

  /** Called with the result of a call. */
  protected settle(outcome: Outcome): void {
    const waiting = this.#waiting.get(outcome.number);
    if ("result" in outcome) waiting?.resolve(outcome.result);
    else waiting?.reject(Object.assign(new Error(), outcome.error));
  }

  /** Called with an error that belongs to no call. */
  protected failed(error: Error): void {
    this.#failure ??= error;
  }

  /** Called when no more results will come. */
  protected ended(): void {
    this.#isOver = true;
    for (const { reject } of this.#waiting.values()) {
      reject(this.#failure ?? new Error("The node has ended."));
    }
    this.#waiting.clear();
  }

  #ask(
    object: string,
    method: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    const asked = new Promise((resolve, reject) => {
      if (this.#isOver) {
        throw this.#failure ?? new Error("The node has ended.");
      }
      const number = ++this.#lastCall;
      const timer = setTimeout(() => {
        this.#waiting.delete(number);
        reject(new Error(`No response to ${object}.${method}(…).`));
      }, PATIENCE_MS);
      const settled = () => {
        clearTimeout(timer);
        this.#waiting.delete(number);
      };
      this.#waiting.set(number, {
        resolve: (result) => (settled(), resolve(result)),
        reject: (error) => (settled(), reject(error)),
      });
      this.post({ number, object, method, args });
    });
    // Some results are awaited later, or never if the node is killed.
    asked.catch(() => {});
    return asked;
  }
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}
