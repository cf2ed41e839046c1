import type { MessagePort } from "node:worker_threads";
import { InMemoryStreamSessionManager } from "../../mod.ts";
import { BroadcastChannelSessions } from "../../src/broadcast_channel/mod.ts";

/** The sender: our cluster, or bare messages between the same stream managers. */
export type Contender = "ours" | "bare";

/** The first message to a worker. */
export interface Setup {
  readonly name: string;
  readonly streams: number;
}

/** The bytes that the readers of a worker have read, by contender. */
export interface Progress {
  readonly contender: Contender;
  readonly bytes: number;
}

/** A message from a worker. */
export type Message = "ready" | "closed" | Progress;

/** The interval of a worker's progress reports, in milliseconds. */
const REPORT_MS = 2;

/** Runs a worker with the same number of streams for each contender. */
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
 * The lower bound: acknowledged batches of frames, and the local fan-out.
 *
 * @returns A function that stops it.
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
    for (const frame of data) streams.send(undefined, frame);
    acks.postMessage(1);
  };
  return () => {
    batches.close();
    acks.close();
    void streams.close();
  };
}
