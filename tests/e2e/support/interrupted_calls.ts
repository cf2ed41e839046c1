import { assert, assertEquals } from "@std/assert";
import {
  connectHttp,
  connectHttp2,
  type Fetch,
  type Streams,
} from "./clients.ts";
import { type Cut, startCuttingProxy } from "./cutting_proxy.ts";

const NUMBERS = Array.from({ length: 100 }, (_, index) => index + 1);

/** What is tested, and how. */
export interface InterruptedCalls {
  /** URL of the server. */
  readonly url: URL;
  /** Tells whether a session has a stream. */
  readonly streams: Streams;
  /** The major version of the official client. */
  readonly major: number;
  readonly calls: number;
}

/**
 * Calls a tool that reports its progress a hundred times, through a proxy that
 * cuts each call off up to three times, at any byte of its events. Asserts that
 * the client gets everything once and in order.
 */
export async function assertCallsSurvive(
  { url, streams, major, calls }: InterruptedCalls,
): Promise<void> {
  let cutsLeft = 0;
  const reads = new FirstReads();
  const nextCut = (head: string): Cut | undefined =>
    cutsLeft-- <= 0 ? undefined : {
      afterBytes: Math.floor(Math.random() * 15_000),
      firstEventRead: reads.of(head),
      how: Math.random() < 0.5 ? "RST" : "FIN",
    };
  await using proxy = await startCuttingProxy(url, nextCut, ["GET", "POST"]);
  await using count = await connectCounter(
    major,
    proxy.url,
    streams,
    reads.fetch,
  );
  for (let call = 0; call < calls; call++) {
    cutsLeft = 1 + call % 3;
    const progress: number[] = [];
    const content = await count((number) => progress.push(number));
    assertEquals(progress, NUMBERS, `call ${call}`);
    assertEquals(content, [{ type: "text", text: "100" }]);
  }
  assert(proxy.cuts >= calls, `Only ${proxy.cuts} connections were cut.`);
}

/** Calls a tool; returns the content of its result. */
export type Count =
  & ((onProgress: (progress: number) => void) => Promise<unknown>)
  & AsyncDisposable;

/**
 * Connects an official client, and returns a function that calls a tool.
 *
 * @param major The major version of the client.
 * @param url The URL of the server.
 * @param streams Tells whether a session has a stream.
 * @param fetch Sends the requests of the client.
 * @param name The tool, which reports its progress.
 */
export async function connectCounter(
  major: number,
  url: URL,
  streams: Streams,
  fetch: Fetch,
  name = "count-to-100",
): Promise<Count> {
  const tool = { name, arguments: {} };
  const options = { reconnect: true, fetch };
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

/** The header that numbers the requests of a client. */
const NUMBER_HEADER = "x-request-number";

/** Tells when a client has read the first piece of each response. */
class FirstReads {
  readonly #reads: Promise<void>[] = [];

  /** A `fetch` that numbers its requests, and observes their bodies. */
  readonly fetch: Fetch = async (url, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set(NUMBER_HEADER, `${this.#reads.length}`);
    let onRead: (() => void) | undefined;
    this.#reads.push(new Promise((resolve) => onRead = resolve));
    const response = await fetch(url, { ...init, headers });
    const body = response.body?.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          controller.enqueue(chunk);
          onRead?.();
        },
      }),
    );
    return new Response(body ?? null, response);
  };

  /** Returns the promise of the request that has this head. */
  of(head: string): Promise<void> {
    const [, number] = new RegExp(`${NUMBER_HEADER}: (\\d+)`, "i").exec(head)!;
    return this.#reads[Number(number)]!;
  }
}
