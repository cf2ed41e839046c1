import type {
  InfoSessionManager,
  StreamSessionManager,
  SubscriptionManager,
} from "@crossmcp/session-manager";
import { Worker } from "node:worker_threads";
import { until } from "../e2e/until.ts";
import type { ChannelActions } from "./channel_actions.ts";
import type { ClientActions } from "./client_actions.ts";
import type { MessageActions } from "./message_actions.ts";
import type { NodeActions, NodeOptions } from "./node_actions.ts";
import {
  type Call,
  type Outcome,
  type Remote,
  remote,
} from "./remote_calls.ts";
import type { SubscriberActions } from "./subscriber_actions.ts";
import type { UpdateActions } from "./update_actions.ts";

/** How long an answer may take: on a busy machine a thread has to wait its turn. */
export const PATIENCE_MS = 30_000;

/** A node in a thread of its own. Every call is made there. */
export class WorkerNode {
  readonly node: Remote<NodeActions> = this.#remote("node");
  readonly streams: Remote<Omit<StreamSessionManager, "create">> = this.#remote(
    "streams",
  );
  readonly info: Remote<InfoSessionManager> = this.#remote("info");
  readonly subscriptions: Remote<Omit<SubscriptionManager, "create">> = this
    .#remote("subscriptions");
  readonly messages: Remote<MessageActions> = this.#remote("messages");
  readonly clients: Remote<ClientActions> = this.#remote("clients");
  readonly subscribers: Remote<SubscriberActions> = this.#remote("subscribers");
  readonly updates: Remote<UpdateActions> = this.#remote("updates");
  readonly channels: Remote<ChannelActions> = this.#remote("channels");
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  readonly #waiting: Map<number, Waiting> = new Map();
  #lastCall = 0;
  #failure: Error | undefined;
  #isOver = false;

  constructor() {
    this.#worker = new Worker(new URL("./node_worker.ts", import.meta.url));
    this.#worker.on("message", (outcome: Outcome) => this.#settle(outcome));
    this.#worker.on("error", (error) => {
      this.#failure ??= error;
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        this.#isOver = true;
        for (const { reject } of this.#waiting.values()) {
          reject(this.#failure ?? new Error("The thread has ended."));
        }
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /** Ends the thread, whatever it is doing; nobody is told. */
  async kill(): Promise<void> {
    await this.#worker.terminate();
    await this.#ended;
  }

  /**
   * Ends the thread, which closes its sessions before.
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

  /** Waits for the thread to end by itself. */
  async end(): Promise<void> {
    await until(() => this.#isOver, "the end of a thread", PATIENCE_MS);
  }

  #remote<Target>(object: string): Remote<Target> {
    return remote((method, args) => this.#ask(object, method, args));
  }

  #ask(
    object: string,
    method: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    const asked = new Promise((resolve, reject) => {
      if (this.#isOver) {
        throw this.#failure ?? new Error("The thread has ended.");
      }
      const number = ++this.#lastCall;
      const timer = setTimeout(() => {
        this.#waiting.delete(number);
        reject(new Error(`No answer to ${object}.${method}(…).`));
      }, PATIENCE_MS);
      const settled = () => {
        clearTimeout(timer);
        this.#waiting.delete(number);
      };
      this.#waiting.set(number, {
        resolve: (result) => (settled(), resolve(result)),
        reject: (error) => (settled(), reject(error)),
      });
      const call: Call = { number, object, method, args };
      this.#worker.postMessage(call);
    });
    // Some answers are waited for later, or never where the thread is killed.
    asked.catch(() => {});
    return asked;
  }

  #settle(outcome: Outcome): void {
    const waiting = this.#waiting.get(outcome.number);
    if ("result" in outcome) waiting?.resolve(outcome.result);
    else waiting?.reject(Object.assign(new Error(), outcome.error));
  }
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The nodes of one test, in threads of their own, with a name that is its own. */
export class Workers {
  /** The name of the cluster. */
  readonly name: string = crypto.randomUUID();
  readonly #options: NodeOptions;
  readonly #all: WorkerNode[] = [];

  /** @param options Options of every node. */
  constructor(options: NodeOptions) {
    this.#options = options;
  }

  /** A thread that is no node yet. */
  spawn(): WorkerNode {
    const worker = new WorkerNode();
    this.#all.push(worker);
    return worker;
  }

  /** A thread becomes a node of the cluster. */
  async join(
    worker: WorkerNode,
    cluster: NodeOptions["cluster"] = {},
  ): Promise<WorkerNode> {
    await worker.node.join(this.name, {
      ...this.#options,
      cluster: { ...this.#options.cluster, ...cluster },
    });
    return worker;
  }

  /** Starts nodes that all know of each other. */
  async start(count: number): Promise<WorkerNode[]> {
    const workers = Array.from({ length: count }, () => this.spawn());
    await Promise.all(workers.map((worker) => this.join(worker)));
    await meet(workers);
    return workers;
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    const ends = await Promise.allSettled(
      this.#all.map((worker) => worker.stop()),
    );
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}

/** Waits until nodes know of each other, and of nobody else. */
export async function meet(workers: readonly WorkerNode[]): Promise<void> {
  await until(
    async () => {
      const known = await Promise.all(workers.map(({ node }) => node.nodes()));
      return known.every(({ length }) => length === workers.length);
    },
    `${workers.length} nodes that know of each other`,
    PATIENCE_MS,
  );
}

/** A test with nodes in threads of their own. */
export function withWorkers(
  options: NodeOptions,
  run: (workers: Workers) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const workers = new Workers(options);
    try {
      await run(workers);
    } catch (error) {
      // What the test found says more than what is left of it.
      await workers.stop().catch(() => {});
      throw error;
    }
    await workers.stop();
  };
}
