import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { observedFrames, readFrames } from "../../src/requests/frame_reader.ts";

const FRAMES: readonly string[] = [
  "event: message\ndata: {}\n\n",
  "data: CRLF\r\n\r\n",
  "data: CR\r\r",
  ": a comment\n\n",
  "data: caf\u00e9 \u{1F600}\n\n",
  "data: incomplete",
];

/** A stream of chunks of this length. */
function streamOf(
  text: string,
  chunkBytes: number,
): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += chunkBytes));
    },
  });
}

describe("readFrames", () => {
  for (const chunkBytes of [1, 2, 7, 1_000]) {
    it(`finds every frame in chunks of ${chunkBytes} bytes`, async () => {
      const frames: string[] = [];
      const body = streamOf(FRAMES.join(""), chunkBytes);
      await readFrames(body, (frame) => frames.push(frame));
      assertEquals(frames, FRAMES);
    });
  }

  it("rejects if the stream fails", async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.error(new Error("broken")),
    });
    await assertRejects(() => readFrames(body, () => {}), Error, "broken");
  });
});

/** A signal that is not aborted. */
const NEVER: AbortSignal = new AbortController().signal;

describe("observedFrames", () => {
  it("passes every byte on, and ends once", async () => {
    const frames: string[] = [];
    let ends = 0;
    const text = FRAMES.slice(0, -1).join("");
    const body = observedFrames(
      streamOf(text, 5),
      (frame) => frames.push(frame),
      () => ends++,
      NEVER,
    );
    assertEquals(await new Response(body).text(), text);
    assertEquals(frames, FRAMES.slice(0, -1));
    assertEquals(ends, 1);
  });

  it("cancels the stream when nobody reads it, and ends once", async () => {
    let ends = 0;
    let reason: unknown;
    const source = new ReadableStream<Uint8Array>({
      cancel: (given) => void (reason = given),
    });
    const body = observedFrames(source, () => {}, () => ends++, NEVER);
    await body.cancel("enough");
    assertEquals([reason, ends], ["enough", 1]);
  });

  it("ends when its signal is aborted, and ends once", async () => {
    let ends = 0;
    let isCancelled = false;
    const source = new ReadableStream<Uint8Array>({
      cancel: () => void (isCancelled = true),
    });
    const abort = new AbortController();
    const body = observedFrames(source, () => {}, () => ends++, abort.signal);
    const text = new Response(body).text();
    abort.abort();
    assertEquals(await text, "");
    assertEquals([isCancelled, ends], [true, 1]);
  });
});
