import { EventCollector } from "../../cluster_nodes/event_collector.ts";

/** A stream: the controller for a manager, and what its client received. */
export interface OpenStream {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  readonly collector: EventCollector;
}

/** Opens a stream that is read at once. */
export function openStream(): OpenStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
  });
  return { controller: controller!, collector: new EventCollector(body) };
}

/** Waits until a stream has received this many frames, or has ended. */
export async function textsOf(
  { collector }: OpenStream,
  count: number,
): Promise<string[]> {
  await collector.until(() => collector.events.length >= count);
  return collector.events.map(({ data }) => data);
}
