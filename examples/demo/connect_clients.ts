import type { Audience } from "./audience.ts";
import type { Fetch } from "./client.ts";
import { ModernClient } from "./modern_client.ts";
import { OfficialClient } from "./official_client.ts";
import { StreamClient } from "./stream_client.ts";

/** The number of clients of each kind. Every tenth subscribes. */
export interface Sizes {
  readonly streams: number;
  readonly official: number;
  readonly modern: number;
}

/** The options that all clients share. */
export interface ConnectClientsOptions {
  readonly sizes: Sizes;
  /** The resource that every tenth client subscribes to. */
  readonly news: string;
  /** Sends the requests. */
  readonly fetch?: Fetch;
  /** Whether they open another stream when one ends. */
  readonly reconnects?: boolean;
}

/** The number of simultaneous connection attempts. */
const MAX_PENDING = 50;

/** Connects clients to a server, and adds them to an audience. */
export async function connectClients(
  url: URL,
  audience: Audience,
  { sizes, news, fetch = globalThis.fetch, reconnects = false }:
    ConnectClientsOptions,
): Promise<void> {
  await connect(sizes.streams, StreamClient);
  await connect(sizes.official, OfficialClient);
  await connect(sizes.modern, ModernClient);

  async function connect(
    count: number,
    kind: typeof StreamClient | typeof OfficialClient | typeof ModernClient,
  ): Promise<void> {
    const places = Array(count).keys();
    const workers = Array.from({ length: MAX_PENDING }, async () => {
      for (const place of places) {
        audience.clients.push(
          await kind.connect(url, {
            subscribe: place % 10 === 0 ? news : undefined,
            onReceive: audience.onReceive,
            fetch,
            reconnects,
          }),
        );
      }
    });
    await Promise.all(workers);
  }
}

/**
 * Returns the number of streams that the limit of open files allows.
 *
 * @param filesEach The number of open files per stream, in the process that
 * needs the most.
 */
export async function streamsThatFit(
  wanted: number,
  filesEach = 1,
): Promise<number> {
  if (Deno.build.os === "windows") return wanted; // has no such limit
  const shell = new Deno.Command("sh", { args: ["-c", "ulimit -n"] });
  const { stdout } = await shell.output();
  const files = Number(new TextDecoder().decode(stdout));
  // The rest is for the program itself and for pending requests.
  const fit = Number.isNaN(files) ? wanted : Math.max(10, files - 200);
  return Math.min(wanted, Math.floor(fit / filesEach));
}
