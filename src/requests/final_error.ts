import { formatSseEvent } from "../protocol/sse.ts";
import type { MessageId } from "./message_target.ts";

/**
 * Answers a request with an error if the stream of its response fails, or if
 * there is none: the node that worked on it is gone, and its client must not
 * wait for ever.
 *
 * @param body The stream, from another node.
 * @param requestId The ID of the request; undefined if nobody knows it.
 * @returns A stream that does not fail; undefined if there is nothing to say.
 */
export function withFinalError(
  body: ReadableStream<Uint8Array> | undefined,
  requestId: MessageId | undefined,
): ReadableStream<Uint8Array> | undefined {
  if (requestId === undefined) return body;
  const error = new TextEncoder().encode(formatSseEvent({
    event: "message",
    data: JSON.stringify({
      jsonrpc: "2.0",
      id: requestId,
      error: {
        code: -32_603,
        message: "The server that worked on this request is gone",
      },
    }),
  }));
  const reader = body?.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        if (reader === undefined) throw undefined;
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        controller.enqueue(error);
        controller.close();
      }
    },
    cancel: (reason) => reader?.cancel(reason),
  }, { highWaterMark: 0 });
}
