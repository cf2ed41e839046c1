import type { Audience } from "./audience.ts";
import { ModernClient } from "./modern_client.ts";
import { OfficialClient } from "./official_client.ts";
import { StreamClient } from "./stream_client.ts";

/** How many of each kind. Every tenth subscribes to the news. */
export interface Sizes {
  readonly streams: number;
  readonly official: number;
  readonly modern: number;
}

/** How many connect at a time. */
const AT_ONCE = 50;

/** Connects clients to a server, and adds them to an audience. */
export async function connectCrowd(
  url: URL,
  audience: Audience,
  sizes: Sizes,
  news: string,
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
        const subscribe = place % 10 === 0 ? news : undefined;
        audience.clients.push(
          await kind.connect(url, subscribe, audience.onReceive),
        );
      }
    });
    await Promise.all(workers);
  }
}

/** As many streams as this process may have open files for. */
export async function streamsThatFit(wanted: number): Promise<number> {
  if (Deno.build.os === "windows") return wanted; // has no such limit
  const shell = new Deno.Command("sh", { args: ["-c", "ulimit -n"] });
  const { stdout } = await shell.output();
  const files = Number(new TextDecoder().decode(stdout));
  // The rest is for the program itself, and for requests that are under way.
  const fit = Number.isNaN(files) ? wanted : Math.max(10, files - 200);
  return Math.min(wanted, fit);
}
