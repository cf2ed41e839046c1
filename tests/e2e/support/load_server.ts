import {
  type EvictionReason,
  InMemorySessions,
  type StreamOptions,
} from "@crossmcp/session-manager";
import { type Engine, serve, type Served } from "./serve.ts";

/** A server whose sessions have a stream each, and nothing else. */
export interface LoadServer extends AsyncDisposable {
  readonly url: string;
  readonly sessions: InMemorySessions;
  /** The sessions that were given up, and why. */
  readonly evicted: Map<string, EvictionReason>;
  /** What was reported to `onError`. */
  readonly errors: Error[];
}

/** More than operating systems take over for a connection that nobody reads. */
const OVERFILL_BYTES = 5 * 1_048_576;
/** A frame of 256 KiB that says nothing. */
export const COMMENT: string = ":".padEnd(262_142, "x") + "\n\n";

/** Sends a session more than can be on its way to a client that does not read. */
export async function overfill(
  streams: Pick<InMemorySessions["streams"], "send">,
  id: string,
): Promise<void> {
  for (let sent = 0; sent < OVERFILL_BYTES; sent += COMMENT.length) {
    streams.send([id], COMMENT);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/**
 * Serves streams as tmcp's transports do: `GET /<id>` is the stream of a session.
 *
 * @param engine What serves.
 * @param streams Options of the manager.
 */
export async function startLoadServer(
  engine: Engine,
  streams: StreamOptions,
): Promise<LoadServer> {
  const evicted = new Map<string, EvictionReason>();
  const errors: Error[] = [];
  const sessions = new InMemorySessions({
    streams,
    onEvict: (id, reason) => evicted.set(id, reason),
    onError: (error) => errors.push(error),
  });
  const connected = new TextEncoder().encode(": connected\n\n");
  const served: Served = await serve((request) => {
    const id = new URL(request.url).pathname.slice(1);
    const body = new ReadableStream({
      start: (controller) => {
        sessions.streams.create(id, controller);
        controller.enqueue(connected);
      },
      cancel: () => sessions.streams.delete(id),
    });
    return new Response(body, {
      headers: { "content-type": "text/event-stream" },
    });
  }, engine);
  return {
    url: served.url,
    sessions,
    evicted,
    errors,
    [Symbol.asyncDispose]: async () => {
      await sessions.close();
      await served.close();
    },
  };
}

export { startLoadServer as serveCrowd };
