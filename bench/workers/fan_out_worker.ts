import type { MessagePort } from "node:worker_threads";
import { InMemoryStreamSessionManager } from "../../mod.ts";
import { BroadcastChannelSessions } from "../../src/broadcast_channel/mod.ts";

/** Who sends: ours, or bare messages between the same managers of streams. */
export type Contender = "ours" | "bare";

/** What the main thread tells a worker, and what a worker answers. */
export interface Setup {
  readonly name: string;
  readonly streams: number;
}

/** How many bytes the readers of a worker have read, of which contender. */
export interface Progress {
  readonly contender: Contender;
  readonly bytes: number;
}

/** What a worker says: that it is ready, how far its readers are, that it is over. */
export type Message = "ready" | "closed" | Progress;

/** How often a worker says how far its readers are, in milliseconds. */
const REPORT_MS = 2;

/** A worker with as many streams for each contender. */
export async function serve(port: MessagePort, setup: Setup): Promise<void> {
  const read = { ours: 0, bare: 0 };
  const reported = { ours: 0, bare: 0 };
  const sessions = new BroadcastChannelSessions(setup.name);
  await sessions.ready;
  for (const controller of open("ours")) {
    void sessions.streams.create(crypto.randomUUID(), controller);
  }
  const stop = receive(`${setup.name}-bare`, open("bare"));
  const timer = setInterval(() => {
    for (const contender of ["ours", "bare"] as const) {
      const bytes = read[contender];
      if (bytes === reported[contender]) continue;
      reported[contender] = bytes;
      port.postMessage({ contender, bytes } satisfies Progress);
    }
  }, REPORT_MS);
  port.once("message", async () => {
    clearInterval(timer);
    stop();
    await sessions.close();
    port.postMessage("closed");
  });
  port.postMessage("ready");

  function open(contender: Contender): ReadableStreamDefaultController[] {
    return Array.from({ length: setup.streams }, () => {
      let controller!: ReadableStreamDefaultController<Uint8Array>;
      const reader = new ReadableStream<Uint8Array>({
        start: (made) => void (controller = made),
      }).getReader();
      void (async () => {
        while (true) {
          const { value } = await reader.read();
          if (value === undefined) return;
          read[contender] += value.byteLength;
        }
      })();
      return controller;
    });
  }
}

/**
 * The floor: batches of texts that are acknowledged, and the local fan-out.
 *
 * @returns Ends it.
 */
function receive(
  name: string,
  controllers: readonly ReadableStreamDefaultController[],
): () => void {
  const streams = new InMemoryStreamSessionManager();
  for (const controller of controllers) {
    streams.create(crypto.randomUUID(), controller);
  }
  const batches = new BroadcastChannel(name);
  const acks = new BroadcastChannel(`${name}-acks`);
  batches.onmessage = ({ data }: MessageEvent<string[]>) => {
    for (const text of data) streams.send(undefined, text);
    acks.postMessage(1);
  };
  return () => {
    batches.close();
    acks.close();
    void streams.close();
  };
}
