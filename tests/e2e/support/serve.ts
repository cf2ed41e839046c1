import { toNodeHandler } from "@crossmcp/session-manager/node";
import { createRequestListener } from "@remix-run/node-fetch-server";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** Responds to requests. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** A server on a free local port. */
export interface Served extends AsyncDisposable {
  /** The URL of the server, without a trailing slash. */
  readonly url: string;
  /** The server in use: `"Deno.serve"`, `"Bun.serve"`, or its engine. */
  readonly runtime: string;
  /** Stops listening and waits for pending responses. */
  finish(): Promise<void>;
  /** Stops listening and aborts open connections. */
  close(): Promise<void>;
}

/**
 * The runtime's own server, or `node:http`, which all runtimes have, with a
 * common adapter or with ours.
 */
export type Engine = "native" | "node:http" | "toNodeHandler";

interface BunServer {
  readonly port: number;
  stop(closeActiveConnections: boolean): Promise<void>;
}

interface DenoServer {
  readonly addr: { readonly port: number };
  readonly finished: Promise<void>;
  shutdown(): Promise<void>;
}

const runtimes = globalThis as {
  Bun?: { serve(options: object): BunServer };
  Deno?: { serve(options: object, handler: Handler): DenoServer };
};

/** The engines of this runtime. Node's own server is `node:http`. */
export const engines: readonly Engine[] =
  runtimes.Bun === undefined && runtimes.Deno === undefined
    ? ["node:http", "toNodeHandler"]
    : ["native", "node:http"];

/**
 * Starts a server on a free port of 127.0.0.1.
 *
 * @param handler Responds to requests.
 * @param engine The server to use.
 */
export async function serve(
  handler: Handler,
  engine: Engine = engines[0]!,
): Promise<Served> {
  const { runtime, port, finish, close } = engine !== "native"
    ? await serveNode(engine, listeners[engine](handler))
    : runtimes.Bun !== undefined
    ? serveBun(runtimes.Bun, handler)
    : serveDeno(runtimes.Deno!, handler);
  return {
    url: `http://127.0.0.1:${port}`,
    runtime,
    finish,
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Listening {
  readonly runtime: string;
  readonly port: number;
  readonly finish: () => Promise<void>;
  readonly close: () => Promise<void>;
}

function serveDeno(
  deno: NonNullable<typeof runtimes.Deno>,
  handler: Handler,
): Listening {
  const abort = new AbortController();
  let isFinished = false;
  const server = deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: abort.signal,
    onListen: () => {},
  }, handler);
  return {
    runtime: "Deno.serve",
    port: server.addr.port,
    finish: async () => {
      await server.shutdown();
      isFinished = true;
    },
    close: () => {
      // Aborting a server that has finished would throw.
      if (!isFinished) abort.abort();
      return server.finished;
    },
  };
}

function serveBun(
  bun: NonNullable<typeof runtimes.Bun>,
  handler: Handler,
): Listening {
  const server = bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    // By default, Bun closes idle streams after ten seconds.
    idleTimeout: 0,
    fetch: handler,
  });
  return {
    runtime: "Bun.serve",
    port: server.port,
    finish: () => server.stop(false),
    close: () => server.stop(true),
  };
}

// Clients notice when a response stream fails. Don't log the error.
const quiet = { onError: () => {} };
const listeners = {
  "node:http": (handler: Handler): RequestListener =>
    createRequestListener((request) => handler(request), quiet),
  "toNodeHandler": (handler: Handler): RequestListener =>
    toNodeHandler({ fetch: (request) => handler(request) }, quiet),
};

async function serveNode(
  runtime: keyof typeof listeners,
  listener: RequestListener,
): Promise<Listening> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const finish = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  return {
    runtime,
    port: (server.address() as AddressInfo).port,
    finish,
    close: () => {
      const finished = finish();
      server.closeAllConnections();
      return finished;
    },
  };
}
