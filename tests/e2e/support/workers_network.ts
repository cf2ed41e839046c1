import type { Fetch } from "./clients.ts";

/** A request that was answered. */
export interface Exchange {
  readonly method: string;
  /** Deno cannot break off a stream whose response was collected as garbage. */
  readonly response: Response;
  readonly status: number;
  /** Who has answered it. */
  readonly worker: string;
}

/** A network on which every request has a connection of its own. */
export interface Network {
  readonly fetch: Fetch;
  /** The requests, in the call of their answers. */
  readonly exchanges: readonly Exchange[];
  /** Which worker has the stream that was opened last. */
  streamWorker(): string | undefined;
}

interface DenoClients {
  createHttpClient(options: { poolMaxIdlePerHost: number }): object;
}

const deno = (globalThis as { Deno?: DenoClients }).Deno;
// Deno does not send the header that says so to the others.
const client = deno?.createHttpClient({ poolMaxIdlePerHost: 0 });

/** Makes a network that brings one request after the other to the next worker. */
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
