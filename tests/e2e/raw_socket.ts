import { Buffer } from "node:buffer";
import { connect } from "node:net";

/** A connection on which one request was written, byte by byte. */
export interface RawSocket {
  /** What came back so far, one character a byte. */
  received(): string;
  /** Resolves when the connection is over, whoever ended it. */
  readonly closed: Promise<void>;
  /** Drops the connection without a goodbye. */
  vanish(): void;
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
  return { received: () => received, closed, vanish: () => socket.destroy() };
}
