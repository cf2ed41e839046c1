import type { ClusterMessage } from "./protocol.ts";

/** The longest batch of several messages, in characters. */
const BATCH_LENGTH = 262_144;

/** A message, and the node that it is for; `undefined` for all. */
export interface QueuedMessage {
  readonly message: ClusterMessage;
  readonly to: string | undefined;
}

/** Messages that wait to be sent, in order. */
export class SendQueue {
  #messages: (QueuedMessage & { readonly length: number })[] = [];
  #head = 0;
  #length = 0;

  /** How many messages there are. */
  get size(): number {
    return this.#messages.length - this.#head;
  }

  /** Their approximate total length, in characters. */
  get length(): number {
    return this.#length;
  }

  /** Adds a message. */
  add(message: ClusterMessage, to: string | undefined): void {
    const length = lengthOf(message);
    this.#messages.push({ message, to, length });
    this.#length += length;
  }

  /** Takes as many messages as fit into a batch, at least one. */
  takeBatch(): QueuedMessage[] {
    const batch: QueuedMessage[] = [];
    let length = 0;
    while (this.#head < this.#messages.length) {
      const next = this.#messages[this.#head]!;
      if (batch.length > 0 && length + next.length > BATCH_LENGTH) break;
      length += next.length;
      batch.push(next);
      this.#head++;
    }
    this.#length -= length;
    if (this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    return batch;
  }

  /** Removes all messages. */
  clear(): void {
    this.#messages = [];
    this.#head = 0;
    this.#length = 0;
  }
}

/** Estimates the serialized length of a message without serializing it. */
function lengthOf(message: ClusterMessage): number {
  switch (message.kind) {
    case "send":
      return 64 + message.data.length + (message.sessions?.length ?? 0) * 40;
    case "owners":
      return 64 + message.owners.length * 100;
    case "metadata":
      return 64 + message.fields.reduce(
        (sum, [field, value]) => sum + 80 + field.length + (value?.length ?? 0),
        0,
      );
    case "notification":
      return 64 + message.text.length;
    case "response":
      return JSON.stringify(message).length;
    default:
      return 128;
  }
}
