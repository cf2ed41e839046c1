import { FifoQueue } from "../../runtime/fifo_queue.ts";
import type { ClusterMessage } from "./protocol.ts";

/** The longest batch of several messages, in characters. */
const MAX_BATCH_LENGTH = 262_144;

/** A message, and the node that it is for; `undefined` for all. */
export interface QueuedMessage {
  readonly message: ClusterMessage;
  readonly to: string | undefined;
}

/** Messages that wait to be sent, in order. */
export class SendQueue {
  readonly #queue: FifoQueue<QueuedMessage & { readonly length: number }> =
    new FifoQueue();
  #length = 0;

  /** The number of messages. */
  get size(): number {
    return this.#queue.size;
  }

  /** The approximate length of all messages, in characters. */
  get length(): number {
    return this.#length;
  }

  /** Adds a message. */
  add(message: ClusterMessage, to: string | undefined): void {
    const length = estimateLength(message);
    this.#queue.push({ message, to, length });
    this.#length += length;
  }

  /**
   * Removes as many messages as fit into a batch, at least one.
   *
   * @param maxLength The longest batch that the bus carries in one piece.
   */
  takeBatch(maxLength: number): QueuedMessage[] {
    const limit = Math.min(MAX_BATCH_LENGTH, maxLength);
    const batch: QueuedMessage[] = [];
    let batchLength = 0;
    for (
      let next = this.#queue.peek();
      next !== undefined;
      next = this.#queue.peek()
    ) {
      const isFull = batchLength + next.length > limit;
      if (isFull && batch.length > 0) break;
      batchLength += next.length;
      batch.push(next);
      this.#queue.shift();
    }
    this.#length -= batchLength;
    return batch;
  }

  /** Removes all messages. */
  clear(): void {
    this.#queue.clear();
    this.#length = 0;
  }
}

/** Groups messages that are all for one node each. */
export function groupByReceiver(
  messages: readonly QueuedMessage[],
): ReadonlyMap<string, ClusterMessage[]> {
  const byNode = new Map<string, ClusterMessage[]>();
  for (const { message, to } of messages) {
    const forNode = byNode.get(to!);
    if (forNode === undefined) byNode.set(to!, [message]);
    else forNode.push(message);
  }
  return byNode;
}

/** Estimates the length of a message in characters, without serializing it. */
function estimateLength(message: ClusterMessage): number {
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
