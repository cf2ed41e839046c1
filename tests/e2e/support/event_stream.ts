import { until } from "./until.ts";

/** The fields of an event. */
export interface ReceivedEvent {
  readonly event?: string;
  readonly id?: string;
  readonly data?: string;
  readonly retry?: string;
}

/** A response whose events are read as they arrive. */
export interface EventStream {
  readonly response: Response;
  /** Returns the text received so far. */
  text(): string;
  /** Returns the events received so far, without comments. */
  events(): ReceivedEvent[];
  /**
   * Resolves when the stream has ended: true if it was closed normally, false
   * if it was aborted.
   */
  readonly ended: Promise<boolean>;
  /** Stops reading and closes the stream. */
  cancel(): Promise<void>;
}

/** Reads a stream. Resolves when its first bytes have arrived. */
export async function readEvents(response: Response): Promise<EventStream> {
  const reader = response.body!.pipeThrough(new TextDecoderStream())
    .getReader();
  let text = "";
  const read = async () => {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return true;
      text += value;
    }
  };
  const ended = read().catch(() => false);
  let isOver = false;
  void ended.then(() => isOver = true);
  // tmcp's transport writes this comment right after it created the stream.
  await until(() => isOver || text.includes(": connected\n\n"), "a stream");
  return {
    response,
    text: () => text,
    events: () => eventsIn(text),
    ended,
    cancel: () => reader.cancel(),
  };
}

/** Returns the complete events in a text. */
function eventsIn(text: string): ReceivedEvent[] {
  return text.split("\n\n").slice(0, -1).flatMap((frame) => {
    const fields = frame.split("\n").filter((line) => !line.startsWith(":"));
    if (fields.length === 0) return [];
    return [Object.fromEntries(fields.map((field) => {
      const [, name, value] = /^([a-z]+): ?(.*)$/.exec(field) ?? [];
      return [name, value];
    }))];
  });
}
