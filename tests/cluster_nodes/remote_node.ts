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

/** How long an answer may take: on a busy machine others have their turn first. */
export const PATIENCE_MS = 30_000;

/** A node in a thread or process of its own. Every call is made there. */
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

  /** Hands a call over to where the node is. */
  protected abstract post(call: Call): void;

  /** Ends it where it is, whatever it is doing; nobody is told. */
  abstract kill(): Promise<void>;

  /**
   * Ends it, which closes its sessions before.
   *
   * @throws What made it end before, for example a rejection that nobody handled.
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

  /** An object that is where the node is. */
  protected remote<Target>(object: string): Remote<Target> {
    return remote((method, args) => this.#ask(object, method, args));
  }

  /** What became of a call. */
  protected settle(outcome: Outcome): void {
    const waiting = this.#waiting.get(outcome.number);
    if ("result" in outcome) waiting?.resolve(outcome.result);
    else waiting?.reject(Object.assign(new Error(), outcome.error));
  }

  /** Something went wrong of which no call is told. */
  protected failed(error: Error): void {
    this.#failure ??= error;
  }

  /** There will be no more answers. */
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
    // Some answers are waited for later, or never where the node is killed.
    asked.catch(() => {});
    return asked;
  }
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}
