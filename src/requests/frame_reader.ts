import { splitSseFrames } from "../protocol/sse.ts";
import { observedBody } from "../runtime/observed_body.ts";

const LF = 10;
const FRAME_END = /(?:\r\n|\n|\r(?!\n)){2}/g;

const completeDecoder = new TextDecoder();

/** Splits an event stream into frames, however it is cut into chunks. */
export class FrameSplitter {
  /** Decodes what is incomplete; undefined if nothing is. */
  #decoder: TextDecoder | undefined;
  #text = "";

  /** Adds a chunk; returns the frames that are complete. */
  push(chunk: Uint8Array): string[] {
    const isEndOfFrame = chunk.at(-1) === LF && chunk.at(-2) === LF;
    if (isEndOfFrame && this.#decoder === undefined) {
      // Nearly always. To decode parts of a stream takes longer.
      return splitSseFrames(completeDecoder.decode(chunk));
    }
    this.#decoder ??= new TextDecoder();
    this.#text += this.#decoder.decode(chunk, { stream: true });
    if (isEndOfFrame) this.#decoder = undefined;
    return this.#take(endOfFrames(this.#text));
  }

  /** Returns what is left at the end. */
  end(): string[] {
    this.#text += this.#decoder?.decode() ?? "";
    return this.#take(this.#text.length);
  }

  #take(end: number): string[] {
    if (end === 0) return [];
    const frames = splitSseFrames(this.#text.slice(0, end));
    this.#text = this.#text.slice(end);
    return frames;
  }
}

/** Reads an event stream frame by frame, to its end. */
export async function readFrames(
  body: ReadableStream<Uint8Array>,
  onFrame: (frame: string) => void,
): Promise<void> {
  const splitter = new FrameSplitter();
  const reader = body.getReader();
  while (true) {
    const { done, value } = await reader.read();
    for (const frame of done ? splitter.end() : splitter.push(value)) {
      onFrame(frame);
    }
    if (done) return;
  }
}

/**
 * Passes an event stream on unchanged, and looks at its frames.
 *
 * @param body The stream.
 * @param onFrame Called with each frame.
 * @param onEnd Called once, when the stream ends, fails or is cancelled.
 * @param signal Ends the stream.
 */
export function observedFrames(
  body: ReadableStream<Uint8Array>,
  onFrame: (frame: string) => void,
  onEnd: () => void,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const splitter = new FrameSplitter();
  const onChunk = (chunk: Uint8Array) => {
    for (const frame of splitter.push(chunk)) onFrame(frame);
  };
  return observedBody(body, { onChunk, onEnd, signal });
}

/** The length of the complete frames at the start of a text. */
function endOfFrames(text: string): number {
  if (text.endsWith("\n\n")) return text.length;
  let end = 0;
  for (const { index, 0: lineBreaks } of text.matchAll(FRAME_END)) {
    const next = index + lineBreaks.length;
    // A CR at the end of the text may be half of a CRLF.
    if (next < text.length || !text.endsWith("\r")) end = next;
  }
  return end;
}
