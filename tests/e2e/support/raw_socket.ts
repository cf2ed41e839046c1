import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { within } from "./until.ts";

/** A connection on which one request was sent byte by byte. */
export interface RawSocket {
  /** Returns the data received so far, one character per byte. */
  received(): string;
  /** Resolves when the connection is closed by either side. */
  readonly closed: Promise<void>;
  /** Stops reading and leaves the connection open. */
  pause(): void;
  /** Continues to read. */
  resume(): void;
  /** Sends a text as UTF-8, or bytes. */
  write(data: string | Buffer): void;
  /** Closes the connection immediately. */
  destroy(): void;
}

/** Returns the newest event ID that a connection has received. */
export function lastEventIdOf(socket: RawSocket): string {
  return [...socket.received().matchAll(/^id: (\S+)$/gm)].at(-1)![1]!;
}

/** A complete response, one character per byte. */
export interface RawResponse {
  readonly status: number;
  /** The status line and the header fields, unparsed. */
  readonly head: string;
  /** The body, with its chunk headers if it is chunked. */
  readonly body: string;
}

/**
 * Sends a request like {@linkcode openSocket} and waits until the server has
 * responded and closed the connection.
 */
export async function sendRawRequest(
  url: URL,
  method: string,
  headers: Record<string, string>,
  body?: object,
): Promise<RawResponse> {
  const socket = await openSocket(
    url,
    method,
    { ...headers, connection: "close" },
    body,
  );
  try {
    await within(socket.closed, `the response to ${method}`);
  } finally {
    socket.destroy();
  }
  const received = socket.received();
  const end = received.indexOf("\r\n\r\n");
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0),
    head: received.slice(0, end),
    body: received.slice(end + 4),
  };
}

/**
 * Sends a request unchanged, even if `fetch` would reject it.
 *
 * @param url The URL to connect to.
 * @param method The HTTP method.
 * @param headers Header fields. Each character becomes one byte.
 * @param body Sent as JSON.
 */
export async function openSocket(
  url: URL,
  method: string,
  headers: Record<string, string>,
  body?: object,
): Promise<RawSocket> {
  const socket = await openConnection(url);
  const content = body === undefined ? "" : JSON.stringify(body);
  const lines = [
    `${method} ${url.pathname} HTTP/1.1`,
    `host: ${url.host}`,
    "accept: application/json, text/event-stream",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...body === undefined ? [] : [
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(content)}`,
    ],
  ];
  socket.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  socket.write(content);
  return socket;
}

/** Opens a connection without sending anything. */
export async function openConnection(url: URL): Promise<RawSocket> {
  const socket = connect(Number(url.port), url.hostname);
  let received = "";
  socket.on("data", (data: Buffer) => received += data.toString("latin1"));
  // A reset is a regular way for the connection to end.
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) =>
    socket.once("close", () => resolve())
  );
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  return {
    received: () => received,
    closed,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    write: (data) => void socket.write(data),
    destroy: () => void socket.destroy(),
  };
}
