import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/**
 * The contenders. The last three run on Node only: ours without `./node`,
 * better-sse, which writes to Node's responses, and a bare loop that does.
 */
export type Contender =
  | "ours"
  | "peer"
  | "web-streams"
  | "better-sse"
  | "bare";

/** A command to a server process, sent as one JSON line. */
export type Command =
  /** Asks for the number of sessions. */
  | "sessions"
  /** Asks for the time of the server's clock. */
  | "clock"
  /** Asks for the memory of the process. */
  | "memory"
  /** Starts a run. */
  | { readonly run: Load }
  /** Reports the number of events received so far, on all connections together. */
  | { readonly received: number };

/** The events of a run. */
export interface Load {
  readonly burst: number;
  readonly ms: number;
  readonly everyMs?: number | undefined;
}

/** The reply to a command. The first is sent unasked. */
export type Reply =
  | { readonly runtime: string; readonly port: number }
  | { readonly sessions: number }
  | { readonly clock: number }
  | { readonly rss: number }
  | RunReport;

/** The results of a run. */
export interface RunReport {
  /** Events sent since the process started. */
  readonly sent: number;
  /** Events sent in this run. */
  readonly events: number;
  /** The time from the first `send` until everything was received. */
  readonly ms: number;
  /** The CPU time of the server process meanwhile, on all its threads. */
  readonly cpuMs: number;
  /** The time of each event on the server's clock, in a paced run. */
  readonly sentAt: readonly number[];
}

/** One end of a connection that carries one JSON message per line. */
export class Lines<Out> {
  readonly #socket: Socket;

  /**
   * @param socket The connection.
   * @param onMessage Called with every message of the other end.
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

/** Listens on a free local port for one connection. */
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
