import { until } from "./until.ts";

/** What an event carries. */
export interface ReceivedEvent {
  readonly event?: string;
  readonly id?: string;
  readonly data?: string;
  readonly retry?: string;
}

/** A stream of events that is read as it comes. */
export interface EventStream {
  readonly response: Response;
  /** What came so far. */
  text(): string;
  /** The events of it, comments aside. */
  events(): ReceivedEvent[];
  /** Resolves when the stream is over: whether it came to its proper end. */
  readonly ended: Promise<boolean>;
  /** Lets go of it. */
  cancel(): Promise<void>;
}

/** Reads the stream that a server answers with, and waits for its beginning. */
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
  // tmcp's transport writes it right after the stream was created.
  await until(() => isOver || text.includes(": connected\n\n"), "a stream");
  return {
    response,
    text: () => text,
    events: () => eventsIn(text),
    ended,
    cancel: () => reader.cancel(),
  };
}

/** The events of a text that are complete. */
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
