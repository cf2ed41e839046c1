/**
 * Starts the HTTP server of the current runtime. Your own server needs only one
 * of the three.
 */
import { createRequestListener } from "@remix-run/node-fetch-server";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

type Handler = (request: Request) => Promise<Response>;

// In your own project, `bun add -d @types/bun` makes this unnecessary.
declare const Bun: {
  serve(options: object): { port: number; stop(): Promise<void> };
};

/** A running server. */
export interface Served {
  readonly port: number;
  /** Accepts no new connections, and waits for the end of open ones. */
  stop(): Promise<void>;
}

/**
 * Listens on 127.0.0.1, which only this machine can reach.
 *
 * @param handler Answers the requests.
 * @param port The port; 0 picks a free one.
 */
export function serve(handler: Handler, port = 0): Served | Promise<Served> {
  if (typeof Deno !== "undefined") return serveDeno(handler, port);
  if (typeof Bun !== "undefined") return serveBun(handler, port);
  return serveNode(handler, port);
}

function serveDeno(handler: Handler, port: number): Served {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port,
    onListen: () => {},
  }, handler);
  return { port: server.addr.port, stop: () => server.shutdown() };
}

function serveBun(handler: Handler, port: number): Served {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 0, // by default, Bun closes streams after 10 quiet seconds
    fetch: handler,
  });
  return { port: server.port, stop: () => server.stop() };
}

async function serveNode(handler: Handler, port: number): Promise<Served> {
  // Converts Node's requests to web requests.
  const server = createServer(createRequestListener(handler));
  await new Promise<void>((resolve) => {
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}
