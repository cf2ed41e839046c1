// Opens and drops streams as a server and its guard do, and prints the growth
// of the heap in bytes per stream. Run by streams_test.ts, with "replay" or
// without.
import { pendingTimers } from "./timers.ts";
// Must be the first import: it counts timers from here on.
import { InMemorySessions } from "@crossmcp/session-manager";
import process from "node:process";
import { setImmediate } from "node:timers";
import { heapUsed } from "./heap.ts";

/** The remains of streams that were opened and dropped. */
export interface ReconnectCosts {
  /** Heap. */
  readonly bytesPerStream: number;
  readonly attached: number;
  readonly opened: number;
  /** The number of timers left without streams, and after `close`. */
  readonly timersWithoutStreams: number;
  readonly timersAfterClose: number;
}

const STREAMS = 100_000;
const WARM_UP = 10_000;
const replay = process.argv.at(-1) === "replay";

const sessions = new InMemorySessions({
  streams: { replay: replay ? { maxEvents: 1_000 } : false },
});
let opened = 0;
await reconnect(WARM_UP);
const before = await heapUsed();
await reconnect(STREAMS);
const grown = await heapUsed() - before;
const timersWithoutStreams = pendingTimers();
await sessions.close();
const costs: ReconnectCosts = {
  bytesPerStream: grown / STREAMS,
  attached: sessions.stats().attached,
  opened,
  timersWithoutStreams,
  timersAfterClose: pendingTimers(),
};
console.log(JSON.stringify(costs));

/** Opens and drops streams; every other client reconnects once. */
async function reconnect(streams: number): Promise<void> {
  for (let index = 0; index < streams; index += 2) {
    const id = crypto.randomUUID();
    const position = sessions.streams.latestEventId;
    await connect(id, undefined);
    await connect(id, position);
  }
}

/** Does what the guard and a transport do for a GET, and cancels the stream. */
async function connect(
  id: string,
  lastEventId: string | undefined,
): Promise<void> {
  const takeBack = sessions.streams.prepareStream(id, {
    lastEventId,
    prime: true,
  });
  const body = new ReadableStream({
    start: (controller) => sessions.streams.create(id, controller),
    cancel: () => sessions.streams.delete(id),
  });
  takeBack();
  opened++;
  const reader = body.getReader();
  // The second frame waits for the end of the turn, and is dropped with the
  // stream.
  for (const text of ["data: 1\n\n", "data: 2\n\n"]) {
    sessions.streams.send([id], text);
  }
  await reader.read();
  await reader.cancel();
  await new Promise<void>((resolve) => setImmediate(resolve));
}
