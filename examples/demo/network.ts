import type { Fetch } from "./client.ts";

/** A network on which every request has its own connection. */
export class Network implements Disposable {
  /** The number of requests that each worker has answered. */
  readonly answered: Map<string, number> = new Map();
  readonly #http = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

  readonly fetch: Fetch = async (url, init) => {
    const response = await fetch(url, { ...init, client: this.#http });
    const worker = response.headers.get("x-worker") ?? "?";
    this.answered.set(worker, (this.answered.get(worker) ?? 0) + 1);
    return response;
  };

  [Symbol.dispose](): void {
    this.#http.close();
  }
}
