import type { ClusterMessage } from "./protocol.ts";

/** Longest batch of several items, in characters. */
const BATCH_LENGTH = 262_144;

/** An item, and the node that it is for; `undefined` means all. */
export interface QueuedMessage {
  readonly message: ClusterMessage;
  readonly to: string | undefined;
}

/** Items in their order that wait to be sent. */
export class SendQueue {
  #items: (QueuedMessage & { readonly length: number })[] = [];
  #head = 0;
  #length = 0;

  /** How many there are. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** How long they are together, in characters, about. */
  get length(): number {
    return this.#length;
  }

  /** Adds one. */
  add(item: ClusterMessage, to: string | undefined): void {
    const length = lengthOf(item);
    this.#items.push({ message: item, to, length });
    this.#length += length;
  }

  /** Takes as many as go into a batch, at least one. */
  takeBatch(): QueuedMessage[] {
    const batch: QueuedMessage[] = [];
    let length = 0;
    while (this.#head < this.#items.length) {
      const next = this.#items[this.#head]!;
      if (batch.length > 0 && length + next.length > BATCH_LENGTH) break;
      length += next.length;
      batch.push(next);
      this.#head++;
    }
    this.#length -= length;
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return batch;
  }

  /** Forgets them all. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#length = 0;
  }
}

/** About how long an item is as text, without writing it. */
function lengthOf(item: ClusterMessage): number {
  switch (item.kind) {
    case "send":
      return 64 + item.data.length + (item.sessions?.length ?? 0) * 40;
    case "owners":
      return 64 + item.owners.length * 100;
    case "metadata":
      return 64 + item.fields.reduce(
        (sum, [field, value]) => sum + 80 + field.length + (value?.length ?? 0),
        0,
      );
    case "notification":
      return 64 + item.text.length;
    case "response":
      return JSON.stringify(item).length;
    default:
      return 128;
  }
}
