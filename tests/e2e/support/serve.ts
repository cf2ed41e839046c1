import { createRequestListener } from "@remix-run/node-fetch-server";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What answers the requests of a server. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** A server on a free port of this machine. */
export interface Served extends AsyncDisposable {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** What serves: `"Deno.serve"`, `"Bun.serve"` or `"node:http"`. */
  readonly runtime: string;
  /** Stops listening and waits for the answers that are on their way. */
  finish(): Promise<void>;
  /** Stops listening and breaks off the connections that are open. */
  close(): Promise<void>;
}

/** The runtime's own server, or the one that all runtimes offer. */
export type Engine = "native" | "node:http";

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

/** The servers that this runtime offers. Node's own one is `node:http`. */
export const engines: readonly Engine[] =
  runtimes.Bun === undefined && runtimes.Deno === undefined
    ? ["node:http"]
    : ["native", "node:http"];

/**
 * Serves on a free port of 127.0.0.1.
 *
 * @param handler Answers the requests.
 * @param engine Which server to use.
 */
export async function serve(
  handler: Handler,
  engine: Engine = engines[0]!,
): Promise<Served> {
  const { runtime, port, finish, close } = engine === "node:http"
    ? await serveNode(handler)
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
      // A server that has finished already fails when it is aborted.
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
    // The default ends a silent stream after ten seconds.
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

async function serveNode(handler: Handler): Promise<Listening> {
  const server = createServer(
    createRequestListener((request) => handler(request), {
      // A response whose stream fails is for the client to notice.
      onError: () => {},
    }),
  );
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
    runtime: "node:http",
    port: (server.address() as AddressInfo).port,
    finish,
    close: () => {
      const finished = finish();
      server.closeAllConnections();
      return finished;
    },
  };
}
