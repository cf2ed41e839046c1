import {
  type EvictionReason,
  InMemorySessions,
  type StreamOptions,
} from "@crossmcp/session-manager";
import { type Engine, serve, type Served } from "./serve.ts";

/** A server with one stream per session, and no MCP messages. */
export interface LoadServer extends AsyncDisposable {
  readonly url: string;
  readonly sessions: InMemorySessions;
  /** The evicted sessions and the reasons. */
  readonly evicted: Map<string, EvictionReason>;
  /** The errors that were reported to `onError`. */
  readonly errors: Error[];
}

/** More than operating systems buffer for a connection that nobody reads from. */
const OVERFILL_BYTES = 5 * 1_048_576;
/** A frame of 256 KiB that contains only a comment. */
export const COMMENT: string = ":".padEnd(262_142, "x") + "\n\n";

/** Sends a session more than fits into the network's buffers. */
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
 * Starts a server that creates streams as tmcp's transports do: `GET /<id>`
 * returns the stream of a session.
 *
 * @param engine The server to use.
 * @param streams Options of the stream manager.
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
