import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { within } from "./until.ts";

/** A connection on which one request was written, byte by byte. */
export interface RawSocket {
  /** What came back so far, one character a byte. */
  received(): string;
  /** Resolves when the connection is over, whoever ended it. */
  readonly closed: Promise<void>;
  /** Reads no more, and leaves the connection open. */
  pause(): void;
  /** Reads on. */
  resume(): void;
  /** Drops the connection without a goodbye. */
  destroy(): void;
}

/** The whole answer to a request, one character a byte. */
export interface RawResponse {
  readonly status: number;
  /** The status line and the header fields, as they came. */
  readonly head: string;
  /** What followed, in chunks if it came in chunks. */
  readonly body: string;
}

/**
 * Writes a request as {@linkcode openSocket} does, and waits until the server has
 * answered and closed the connection.
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
 * Writes a request as it stands, also one that `fetch` would refuse.
 *
 * @param url Where to.
 * @param method The method.
 * @param headers Header fields; each character becomes one byte.
 * @param body Sent as JSON, when there is one.
 */
export async function openSocket(
  url: URL,
  method: string,
  headers: Record<string, string>,
  body?: object,
): Promise<RawSocket> {
  const socket = connect(Number(url.port), url.hostname);
  let received = "";
  socket.on("data", (data: Buffer) => received += data.toString("latin1"));
  // A reset is one of the ways in which a connection ends.
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) =>
    socket.once("close", () => resolve())
  );
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
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
  return {
    received: () => received,
    closed,
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
  };
}
