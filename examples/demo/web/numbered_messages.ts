import type { NodeGroup } from "./nodes/node_group.ts";

/** A message that every client gets. */
export interface NumberedMessage {
  /** 1 for the first, and one more for each. */
  readonly number: number;
  /** When it was sent, in milliseconds since 1970. */
  readonly sentAt: number;
}

const APART_MS = 200;
/** Two minutes of messages. */
const KEPT = 600;

/**
 * Sends numbered messages to all clients, each from another node, and keeps the
 * recent ones for clients that missed some. An application has a database for
 * that.
 */
export class NumberedMessages implements AsyncDisposable {
  /** The messages that were sent last, the newest last. */
  readonly recent: NumberedMessage[] = [];
  readonly #group: NodeGroup;
  readonly #stop = new AbortController();
  readonly #stopped: Promise<void>;

  constructor(group: NodeGroup) {
    this.#group = group;
    this.#stopped = this.#run();
  }

  /** How many were sent. */
  get sent(): number {
    return this.recent.at(-1)?.number ?? 0;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, APART_MS));
      const data = { number: this.sent + 1, sentAt: Date.now() };
      const sender = await this.#group.notify({
        method: "notifications/message",
        params: { level: "info", logger: "numbers", data },
      });
      if (sender === undefined) continue; // the same number when a node runs
      this.recent.push(data);
      if (this.recent.length > KEPT) this.recent.shift();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#stopped;
  }
}
