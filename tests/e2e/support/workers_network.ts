import type { Fetch } from "./clients.ts";

/** A request and its response. */
export interface Exchange {
  readonly method: string;
  /** Deno can't abort a stream once its response was garbage collected. */
  readonly response: Response;
  readonly status: number;
  /** The worker that responded. */
  readonly worker: string;
}

/** A network that opens a new connection for every request. */
export interface Network {
  readonly fetch: Fetch;
  /** The requests in the order of their responses. */
  readonly exchanges: readonly Exchange[];
  /** Returns the worker that owns the newest stream. */
  streamWorker(): string | undefined;
}

interface DenoClients {
  createHttpClient(options: { poolMaxIdlePerHost: number }): object;
}

const deno = (globalThis as { Deno?: DenoClients }).Deno;
// Deno doesn't send the `connection` header, so its connection pool must be
// disabled.
const client = deno?.createHttpClient({ poolMaxIdlePerHost: 0 });

/** Returns a network that sends each request to the next worker. */
export function roundRobinNetwork(): Network {
  const exchanges: Exchange[] = [];
  return {
    exchanges,
    fetch: async (url, init = {}) => {
      const headers = new Headers(init.headers);
      headers.set("connection", "close");
      const response = await fetch(url, {
        ...init,
        headers,
        client,
      } as RequestInit);
      exchanges.push({
        method: init.method ?? "GET",
        response,
        status: response.status,
        worker: response.headers.get("x-worker") ?? "",
      });
      return response;
    },
    streamWorker: () =>
      exchanges.findLast(({ method, status }) =>
        method === "GET" && status === 200
      )?.worker,
  };
}
