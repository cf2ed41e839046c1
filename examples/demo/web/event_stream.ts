import type { Sampler } from "./sampler.ts";

/** Returns the samples of the last minute, and those that follow. */
export function eventStream(sampler: Sampler): Response {
  let stop = () => {};
  const body = new ReadableStream<string>({
    start(controller) {
      const send = (event: string, data: unknown) =>
        controller.enqueue(
          `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
        );
      send("history", sampler.samples);
      stop = sampler.listen((sample) => send("sample", sample));
    },
    cancel: () => stop(),
  });
  return new Response(body.pipeThrough(new TextEncoderStream()), {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
    },
  });
}
