/**
 * Formatting and encoding an event, for `deno bench`. The lower bound is a
 * template string, which trusts its text to be one line. Encoding is part of it
 * because it flattens a string that is a tree of pieces.
 */
import { createEventBuffer } from "better-sse";
import { formatSseEvent } from "../mod.ts";

const encoder = new TextEncoder();
const buffer = new Uint8Array(32_768);
const MESSAGE = { jsonrpc: "2.0", method: "notifications/message" };
const DATA = {
  "a message of 300 bytes": json(300),
  "a message of 10 KB": json(10_000),
  "a text of 100 lines": Array(100).fill("x".repeat(80)).join("\n"),
};

for (const [what, data] of Object.entries(DATA)) {
  const group = `${what}, 1,000 times`;
  // better-sse serializes data itself; it must not do so twice.
  const options = { serializer: (data: unknown) => data as string };
  bench(
    group,
    "formatSseEvent",
    (id) => formatSseEvent({ event: "message", id, data }),
  );
  bench(
    group,
    "better-sse",
    (id) => createEventBuffer(options).push(data, "message", id).read(),
  );
  bench(
    group,
    "template string",
    (id) => `event: message\nid: ${id}\ndata: ${data}\n\n`,
  );
}

function bench(
  group: string,
  name: string,
  write: (id: string) => string,
): void {
  let total = 0;
  Deno.bench(name, { group, baseline: name === "formatSseEvent" }, () => {
    for (let id = 0; id < 1_000; id++) {
      total += encoder.encodeInto(write(`${id}`), buffer).written;
    }
    if (total === 0) throw new Error("Nothing was written.");
  });
}

function json(bytes: number): string {
  const data = JSON.stringify({ ...MESSAGE, params: { data: "" } });
  const text = "x".repeat(bytes - data.length);
  return JSON.stringify({ ...MESSAGE, params: { data: text } });
}
