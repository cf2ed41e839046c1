import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** Who is compared; better-sse on Node alone, whose responses it writes to. */
export type Contender = "ours" | "peer" | "better-sse";

/** What a server process is told, in a JSON line each. */
export type Order =
  /** How many sessions are there? */
  | "sessions"
  /** What does the clock say? */
  | "clock"
  /** How much memory does the process have? */
  | "memory"
  /** Send bursts of so many events for so long, as fast as can be or every so often. */
  | { readonly run: Load }
  /** So many events have arrived by now, on all connections together. */
  | { readonly received: number };

/** What is sent in a run. */
export interface Load {
  readonly burst: number;
  readonly ms: number;
  readonly everyMs?: number | undefined;
}

/** What it answers; the first comes unasked. */
export type Answer =
  | { readonly runtime: string; readonly port: number }
  | { readonly sessions: number }
  | { readonly clock: number }
  | { readonly rss: number }
  | RunReport;

/** What a run took. */
export interface RunReport {
  /** How many events were sent in all the life of the process. */
  readonly sent: number;
  /** How many of them in this run. */
  readonly events: number;
  /** From the first `send` until all was received. */
  readonly ms: number;
  /** What the server process computed meanwhile, on all its threads. */
  readonly cpuMs: number;
  /** When each event was sent on the server's clock, where they came every so often. */
  readonly sentAt: readonly number[];
}

/** One end of a connection on which each message is a JSON line. */
export class Lines<Out> {
  readonly #socket: Socket;

  /**
   * @param socket The connection.
   * @param onMessage Called for every message of the other end.
   */
  constructor(socket: Socket, onMessage: (message: never) => void) {
    this.#socket = socket;
    let rest = "";
    socket.setNoDelay(true);
    socket.setEncoding("utf8");
    socket.on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onMessage(JSON.parse(line) as never);
    });
  }

  /** Sends a message to the other end. */
  send(message: Out): void {
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }
}

/** Waits on a free port of this machine for one connection. */
export async function listenOnce(): Promise<{
  readonly port: number;
  readonly socket: Promise<Socket>;
  readonly close: () => void;
}> {
  const server = createServer();
  const socket = new Promise<Socket>((resolve) => {
    server.once("connection", resolve);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    socket,
    close: () => void server.close(),
  };
}
