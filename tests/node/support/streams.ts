import {
  InMemorySessions,
  type InMemorySessionsOptions,
  type Respond,
  type StreamSessionManager,
} from "@crossmcp/session-manager";
import { toNodeHandler } from "@crossmcp/session-manager/node";
import { INITIALIZE } from "../../e2e/support/server.ts";
import { sendRequest } from "../../e2e/support/guarded.ts";
import { openSocket, type RawSocket } from "../../e2e/support/raw_socket.ts";
import { until } from "../../e2e/support/until.ts";
import { listenHttp, type Listening, type Start } from "./servers.ts";

const HEADERS = { "content-type": "text/event-stream" };

/** Creates the stream of a session, as a transport does. */
export type CreateBody = (
  id: string,
  streams: InMemorySessions["streams"],
) => ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>;

/** A server with the smallest transport around sessions. */
export interface StreamServer extends Listening {
  readonly sessions: InMemorySessions;
  /** What was reported, and the errors of the handler. */
  readonly reported: readonly unknown[];
  /** The sessions that were evicted, and why. */
  readonly evicted: ReadonlyMap<string, string>;
  /** Begins a session; returns its ID. */
  begin(): Promise<string>;
  /** Opens the stream of a session over a raw connection. */
  open(id: string): Promise<RawSocket>;
}

/** Starts a server. By default, a stream begins with a comment. */
export async function startStreams(
  options: InMemorySessionsOptions = {},
  createBody: CreateBody = commentedBody,
  start: Start = listenHttp,
): Promise<StreamServer> {
  const reported: unknown[] = [];
  const evicted = new Map<string, string>();
  const onError = (error: unknown) => void reported.push(error);
  const sessions = new InMemorySessions({
    onError,
    onEvict: (id, reason) => evicted.set(id, reason),
    ...options,
  });
  const respond: Respond = async (request) => {
    if (request.method === "POST") {
      const id = crypto.randomUUID();
      return new Response("{}", { headers: { "mcp-session-id": id } });
    }
    const id = request.headers.get("mcp-session-id")!;
    const body = await createBody(id, sessions.streams);
    return new Response(body, { headers: HEADERS });
  };
  const listening = await start(toNodeHandler(sessions, respond, { onError }));
  return {
    ...listening,
    sessions,
    reported,
    evicted,
    begin: async () => {
      const response = await sendRequest(listening.url, {}, INITIALIZE);
      await response.text();
      return response.headers.get("mcp-session-id")!;
    },
    open: async (id) => {
      const socket = await openSocket(listening.url, "GET", {
        "mcp-session-id": id,
      });
      await until(() => socket.received().includes("\r\n\r\n"), "the stream");
      return socket;
    },
    [Symbol.asyncDispose]: async () => {
      await sessions.close();
      await listening[Symbol.asyncDispose]();
    },
  };
}

/** The stream of tmcp's transport. */
export function commentedBody(
  id: string,
  streams: StreamSessionManager,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      await streams.create(id, controller);
      controller.enqueue(encode(": connected\n\n"));
    },
    cancel: () => streams.delete(id),
  });
}

const encoder = new TextEncoder();

/** Encodes a text. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** How many connections a server has. */
export function connectionsOf({ server }: Listening): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) =>
      error ? reject(error) : resolve(count)
    )
  );
}

/** Fills a stream until this many bytes are queued. */
export async function fill(
  { sessions }: StreamServer,
  id: string,
  queuedBytes: number,
): Promise<void> {
  const frame = `data: ${"x".repeat(100_000)}\n\n`;
  await until(() => {
    sessions.streams.send([id], frame);
    return sessions.stats().queuedBytes >= queuedBytes;
  }, "the connection to be full");
}
