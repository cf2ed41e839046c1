import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, connectHttp2, type Fetch } from "./support/clients.ts";
import { type Cut, startCuttingProxy } from "./support/cutting_proxy.ts";
import { startGuarded } from "./support/guarded.ts";
import { engines } from "./support/serve.ts";

const CALLS = 50;
const NUMBERS = Array.from({ length: 100 }, (_, index) => index + 1);

for (const engine of engines) {
  for (const major of [1, 2]) {
    describe(`Requests that are cut off, with the official client ${major}.x, on ${engine}`, () => {
      it(`P3 ${CALLS} tool calls lose nothing and get nothing twice`, async () => {
        await using server = await startGuarded(engine, {
          streams: { replay: {} },
        });
        const { httpUrl, sessions } = server;
        // Each call is cut off up to three times, at any byte of its events.
        let cutsLeft = 0;
        let onRead = () => {};
        const nextCut = (): Cut | undefined =>
          cutsLeft-- <= 0 ? undefined : {
            afterBytes: Math.floor(Math.random() * 15_000),
            firstEventRead: new Promise((resolve) => onRead = resolve),
            how: Math.random() < 0.5 ? "RST" : "FIN",
          };
        await using proxy = await startCuttingProxy(
          httpUrl,
          nextCut,
          ["GET", "POST"],
        );
        await using count = await connect(
          major,
          proxy.url,
          sessions.streams,
          () => onRead(),
        );
        for (let call = 0; call < CALLS; call++) {
          cutsLeft = 1 + call % 3;
          const progress: number[] = [];
          const content = await count((number) => progress.push(number));
          assertEquals(progress, NUMBERS, `call ${call}`);
          assertEquals(content, [{ type: "text", text: "100" }]);
        }
        assert(proxy.cuts >= CALLS, `Only ${proxy.cuts} connections were cut.`);
        assert(sessions.stats().replayed > 0, "Nothing was replayed.");
        assertEquals(sessions.stats().resets, 0);
        assertEquals(server.reported, []);
      });
    });
  }
}

type Count =
  & ((onProgress: (progress: number) => void) => Promise<unknown>)
  & AsyncDisposable;

/** Connects an official client, and returns a function that calls its tool. */
async function connect(
  major: number,
  url: URL,
  streams: Parameters<typeof connectHttp>[1],
  onRead: () => void,
): Promise<Count> {
  const tool = { name: "count-to-100", arguments: {} };
  const options = { reconnect: true, fetch: observedFetch(onRead) };
  if (major === 1) {
    const { client, close } = await connectHttp(url, streams, options);
    const count = async (onProgress: (progress: number) => void) => {
      const onprogress = (event: { progress: number }) =>
        onProgress(event.progress);
      return (await client.callTool(tool, undefined, { onprogress })).content;
    };
    return Object.assign(count, { [Symbol.asyncDispose]: close });
  }
  const { client, close } = await connectHttp2(url, streams, options);
  const count = async (onProgress: (progress: number) => void) => {
    const onprogress = (event: { progress: number }) =>
      onProgress(event.progress);
    return (await client.callTool(tool, { onprogress })).content;
  };
  return Object.assign(count, { [Symbol.asyncDispose]: close });
}

/** Returns a `fetch` that calls a function when a body is read. */
function observedFetch(onRead: () => void): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init);
    const body = response.body?.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          controller.enqueue(chunk);
          onRead();
        },
      }),
    );
    return new Response(body ?? null, response);
  };
}
