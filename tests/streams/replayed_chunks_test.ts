import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { parseSse } from "../support/sse_parser.ts";
import { openStream } from "../support/streams.ts";

const MAX_BYTES = 65_536;

/** Resumes after events of these lengths; returns the chunks of the stream. */
async function resume(lengths: readonly number[]): Promise<Uint8Array[]> {
  await using manager = new InMemoryStreamSessionManager({ replay: {} });
  const lastEventId = manager.latestEventId;
  manager.prepareStream("a", { lastEventId });
  manager.create("a", openStream().controller);
  for (const length of lengths) {
    manager.send(["a"], `data: ${"x".repeat(length)}\n\n`);
  }
  const { controller, reader } = openStream();
  manager.prepareStream("a", { lastEventId });
  manager.create("a", controller);
  controller.close();
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    chunks.push(value);
  }
}

/** The number of events in each chunk. */
function eventsIn(chunks: readonly Uint8Array[]): number[] {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => parseSse(decoder.decode(chunk)).events.length)
    .filter((events) => events > 0);
}

describe("The chunks of replayed events", () => {
  it("S14 join many events, up to 64 KB", async () => {
    const chunks = await resume(Array(1_000).fill(300));
    assertEquals(eventsIn(chunks).reduce((sum, events) => sum + events), 1_000);
    const sizes = chunks.map(({ length }) => length);
    assert(Math.max(...sizes) <= MAX_BYTES, `${sizes}`);
    assert(chunks.length < 10, `${sizes}`);
  });

  it("S14 hold an event that is longer on its own", async () => {
    const chunks = await resume([100, 100_000, 100, 100]);
    assertEquals(eventsIn(chunks), [1, 1, 2]);
  });
});
