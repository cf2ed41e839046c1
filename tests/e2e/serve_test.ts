import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { openSocket } from "./support/raw_socket.ts";
import { engines, serve } from "./support/serve.ts";
import { until, within } from "./support/until.ts";

// Tests the servers that the other tests depend on.
for (const engine of engines) {
  describe(`serve, on ${engine}`, () => {
    it("sends each chunk of a stream immediately", async () => {
      let controller: ReadableStreamDefaultController | undefined;
      await using served = await serve(
        () =>
          new Response(new ReadableStream({ start: (c) => controller = c })),
        engine,
      );
      const fetched = fetch(served.url);
      await until(() => controller !== undefined, "the request");
      controller?.enqueue(new TextEncoder().encode("one"));
      const reader = (await fetched).body!.getReader();
      const decoder = new TextDecoder();
      assertEquals(decoder.decode((await reader.read()).value), "one");
      controller?.enqueue(new TextEncoder().encode("two"));
      assertEquals(decoder.decode((await reader.read()).value), "two");
      controller?.close();
      assertEquals((await reader.read()).done, true);
    });

    it("empty chunks don't close the connection", async () => {
      let controller: ReadableStreamDefaultController | undefined;
      await using served = await serve(
        () =>
          new Response(new ReadableStream({ start: (c) => controller = c })),
        engine,
      );
      const text = fetch(served.url).then((response) => response.text());
      await until(() => controller !== undefined, "the request");
      for (const part of ["a", "", "b", "", ""]) {
        controller?.enqueue(new TextEncoder().encode(part));
        await new Promise((resolve) => setTimeout(resolve));
      }
      controller?.close();
      assertEquals(await within(text, "the response body"), "ab");
    });

    it("cancels the stream of a client that disconnects", async () => {
      let cancelled = 0;
      let aborted = 0;
      const body = () =>
        new ReadableStream({
          start: (controller) =>
            controller.enqueue(new TextEncoder().encode(": connected\n\n")),
          cancel: () => void cancelled++,
        });
      await using served = await serve((request) => {
        request.signal.addEventListener("abort", () => aborted++);
        return new Response(body());
      }, engine);

      const abort = new AbortController();
      const response = await fetch(served.url, { signal: abort.signal });
      await response.body!.getReader().read();
      abort.abort();
      await until(
        () => cancelled === 1,
        "the stream to be cancelled after an abort",
      );

      const socket = await openSocket(new URL(served.url), "GET", {});
      await until(() => socket.received().includes(": connected"), "a stream");
      socket.destroy();
      await until(
        () => cancelled === 2,
        "the stream to be cancelled after a disconnect",
      );
      await until(() => aborted === 2, "the abort signals");
    });

    it("aborts open connections when it closes", async () => {
      let cancelled = false;
      const served = await serve(
        () =>
          new Response(
            new ReadableStream({
              start: (controller) =>
                controller.enqueue(new TextEncoder().encode("open")),
              cancel: () => void (cancelled = true),
            }),
          ),
        engine,
      );
      const response = await fetch(served.url);
      const ended = response.text().then(() => "ended", () => "aborted");
      await within(served.close(), "the server to close");
      assertEquals(await within(ended, "the response to end"), "aborted");
      await until(() => cancelled, "the stream to be cancelled");
    });
  });
}
