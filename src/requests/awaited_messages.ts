import {
  type MessageId,
  type MessageTarget,
  progressTokenOf,
  requestIdOf,
} from "./message_target.ts";

/** The messages that an open request waits for. */
export class AwaitedMessages {
  /** The ID of the request itself, which its client may cancel. */
  readonly #requestId: MessageId | undefined;
  /** The requests of the server that its client has not answered, if any. */
  #serverRequests: Set<MessageId> | undefined;
  #progressTokens: Set<MessageId> | undefined;

  constructor(requestId: MessageId | undefined) {
    this.#requestId = requestId;
  }

  /** Looks for a request of the server in what is sent to the client. */
  observe(frame: string): void {
    // Most frames are notifications and responses.
    if (!frame.includes('"method"') || !frame.includes('"id"')) return;
    const message = dataOf(frame);
    const id = requestIdOf(message);
    if (id === undefined) return;
    (this.#serverRequests ??= new Set()).add(id);
    const token = progressTokenOf(message);
    if (token !== undefined) (this.#progressTokens ??= new Set()).add(token);
  }

  /** Returns whether the request waits for a message. */
  has({ kind, id }: MessageTarget): boolean {
    if (kind === "cancelled") return id === this.#requestId;
    const awaited = kind === "response"
      ? this.#serverRequests
      : this.#progressTokens;
    return awaited?.has(id) === true;
  }

  /** Records that a message has arrived: a response is waited for once. */
  receive({ kind, id }: MessageTarget): void {
    if (kind === "response") this.#serverRequests?.delete(id);
  }
}

function dataOf(frame: string): unknown {
  const data = frame.split(/\r\n|\n|\r/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice("data:".length).trimStart());
  try {
    return JSON.parse(data.join("\n"));
  } catch {
    return undefined;
  }
}
