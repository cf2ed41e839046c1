import type { Audience } from "./audience.ts";
import type { Fetch } from "./client.ts";
import { ModernClient } from "./modern_client.ts";
import { OfficialClient } from "./official_client.ts";
import { StreamClient } from "./stream_client.ts";

/** How many of each kind. Every tenth subscribes. */
export interface Sizes {
  readonly streams: number;
  readonly official: number;
  readonly modern: number;
}

/** What all clients of a crowd have in common. */
export interface CrowdOptions {
  readonly sizes: Sizes;
  /** What every tenth subscribes to. */
  readonly news: string;
  /** What stands for the network. */
  readonly fetch?: Fetch;
  /** Whether they open another stream when one ends. */
  readonly comesBack?: boolean;
}

/** How many connect at a time. */
const AT_ONCE = 50;

/** Connects clients to a server, and adds them to an audience. */
export async function connectCrowd(
  url: URL,
  audience: Audience,
  { sizes, news, fetch = globalThis.fetch, comesBack = false }: CrowdOptions,
): Promise<void> {
  await connect(sizes.streams, StreamClient);
  await connect(sizes.official, OfficialClient);
  await connect(sizes.modern, ModernClient);

  async function connect(
    count: number,
    kind: typeof StreamClient | typeof OfficialClient | typeof ModernClient,
  ): Promise<void> {
    const places = Array(count).keys();
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (const place of places) {
        audience.clients.push(
          await kind.connect(url, {
            subscribe: place % 10 === 0 ? news : undefined,
            onReceive: audience.onReceive,
            fetch,
            comesBack,
          }),
        );
      }
    });
    await Promise.all(workers);
  }
}

/**
 * As many streams as this process may have open files for.
 *
 * @param filesEach How many open files a stream needs, in the process that needs
 * the most.
 */
export async function streamsThatFit(
  wanted: number,
  filesEach = 1,
): Promise<number> {
  if (Deno.build.os === "windows") return wanted; // has no such limit
  const shell = new Deno.Command("sh", { args: ["-c", "ulimit -n"] });
  const { stdout } = await shell.output();
  const files = Number(new TextDecoder().decode(stdout));
  // The rest is for the program itself, and for requests that are under way.
  const fit = Number.isNaN(files) ? wanted : Math.max(10, files - 200);
  return Math.min(wanted, Math.floor(fit / filesEach));
}
