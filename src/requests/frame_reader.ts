import { splitSseFrames } from "../protocol/sse.ts";

const FRAME_END = /(?:\r\n|\n|\r(?!\n)){2}/g;

/** Reads an event stream frame by frame, however it is cut into chunks. */
export async function readFrames(
  body: ReadableStream<Uint8Array>,
  onFrame: (frame: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = "";
  while (true) {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: !done });
    const end = done ? text.length : endOfFrames(text);
    for (const frame of splitSseFrames(text.slice(0, end))) onFrame(frame);
    text = text.slice(end);
    if (done) return;
  }
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
