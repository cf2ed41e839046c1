/**
 * Keeping events for disconnected clients, and replaying them, for `deno
 * bench`. No other package does this; the lower bound of a resume encodes the
 * missed events and writes them to the stream.
 */
import { InMemoryStreamSessionManager } from "../mod.ts";
import { makeFrame } from "./fan_out.ts";
import { OpenStreams } from "./streams.ts";

const KEPT = 10_000;
const frame = makeFrame(300);
const encoder = new TextEncoder();

for (const replay of [{}, false] as const) {
  const streams = new InMemoryStreamSessionManager({ replay });
  let id = 0;
  Deno.bench({
    name: replay ? "with replay" : "without replay",
    group: "1,000 events for disconnected sessions",
    baseline: replay !== false,
    fn() {
      for (let left = 1_000; left > 0; left--) {
        streams.send([`${id++ % KEPT}`], frame);
      }
    },
  });
}

for (const missed of [1, 100, 1_000]) {
  // All events are broadcasts, or every hundredth is for the client that
  // resumes.
  for (const targets of ["everyone", "one of 100 sessions"]) {
    const isForAll = targets === "everyone";
    if (!isForAll && missed === 1_000) continue;
    const group = `a resume after ${missed} of ${KEPT} events for ${targets}`;
    const sent = isForAll ? missed : missed * 100;
    let streams: InMemoryStreamSessionManager | undefined;
    let lastEventId = "";
    const fill = () => {
      const manager = new InMemoryStreamSessionManager({ replay: {} });
      for (let event = 0; event < KEPT; event++) {
        if (event === KEPT - sent) lastEventId = manager.latestEventId!;
        manager.send(isForAll ? undefined : [`${event % 100}`], frame);
      }
      return manager;
    };
    Deno.bench({
      name: "@crossmcp/session-manager",
      group,
      baseline: true,
      n: 200,
      fn(b) {
        streams ??= fill();
        const [controller] = new OpenStreams(1).controllers;
        b.start();
        streams.prepareStream("7", { lastEventId });
        streams.create("7", controller!);
        b.end();
        const { replayed, resets } = streams.stats();
        if (replayed % missed !== 0 || resets.purged > 0) {
          throw new Error(`${replayed} events were replayed.`);
        }
        streams.delete("7");
      },
    });
    Deno.bench("bare encode and enqueue", { group, n: 200 }, (b) => {
      const [controller] = new OpenStreams(1).controllers;
      b.start();
      for (let left = missed; left > 0; left--) {
        controller!.enqueue(encoder.encode(frame));
      }
      b.end();
    });
  }
}
