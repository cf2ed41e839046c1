/** What an observer of a body is told. */
export interface BodyObserver {
  /** Called with each chunk. If it throws, the body fails. */
  readonly onChunk?: (chunk: Uint8Array) => void;
  /** Called once, when the body ends, fails or is cancelled. */
  readonly onEnd: () => void;
  /** Ends the body. */
  readonly signal?: AbortSignal;
}

/** Passes a body on unchanged and without a buffer, and observes it. */
export function observedBody(
  body: ReadableStream<Uint8Array>,
  { onChunk, onEnd, signal }: BodyObserver,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let isOver = false;
  const end = () => {
    if (!isOver) onEnd();
    isOver = true;
  };
  signal?.addEventListener("abort", () => {
    end();
    // The next read finds the end.
    void reader.cancel(signal.reason).catch(() => {});
  });
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          end();
          return controller.close();
        }
        onChunk?.(value);
        controller.enqueue(value);
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
