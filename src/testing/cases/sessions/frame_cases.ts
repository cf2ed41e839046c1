import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { SessionsCase } from "../../suites/behaviours.ts";
import {
  parseSse,
  type ReceivedEvent,
  SseParser,
} from "../../support/sse_parser.ts";
import { TestClient } from "../../support/test_client.ts";

/**
 * Texts of one or more frames each, in all forms that the HTML standard allows.
 */
const TEXTS: readonly string[] = [
  "event: message\ndata: {}\n\n",
  "data: LF\n\n",
  "data: CR\r\r",
  "data: CRLF\r\n\r\n",
  "data: LF CR\n\r",
  "data: LF CRLF\n\r\n",
  "data: CRLF LF\r\n\n",
  "data: CRLF CR\r\n\r",
  "data: one\ndata: two\rdata: three\r\ndata: four\n\n",
  "data: NUL \0 in it\n\n",
  "event: NUL\0\ndata: in its name\n\n",
  "data: a line separator \u2028 and NEL \u0085\n\n",
  "data: caf\u00e9 \u{1F600} \ufeff\n\n",
  "data:no space\n\ndata:  two spaces\n\n",
  "data\n\n",
  "data:\n\n",
  "data: first\n\ndata: second\r\rdata: third\r\n\r\nevent: x\ndata: fourth\n\n",
  "data: CR inside\r\rdata: LF at the end\n\n",
  "data: CRLF inside\r\n\r\ndata: LF at the end\n\n",
  "data: many lines between\n\n\n\ndata: and after\n\n\n",
  "data: many returns between\r\r\r\rdata: and after\r\r\r",
  "data: many of both between\r\n\r\n\r\ndata: and after\r\n\r\n\r\n",
  "\n\ndata: lines before\n\n",
  ": a comment\n\n",
  ": a comment\ndata: and more\n\n",
  ": a comment\n\n: another\n\ndata: and more\n\n",
  "id: 7\ndata: an ID of its own\n\n",
  "data: an ID of its own\r\nid: 8\r\n\r\n",
  "id: NUL\0\ndata: an invalid ID\n\n",
  "id\ndata: an empty ID\n\n",
  "retry: 10\n\n",
  "retry: 20\ndata: and more\n\n",
  "unknown: field\ndata: and more\n\n",
  "data: last\n\n",
];

/** How frames get their IDs. */
export const sessionsFrameCases: readonly SessionsCase[] = [
  {
    behaviour: "S18",
    name: "with an ID, every event arrives as it was sent",
    run: async ({ create, within }) => {
      const { got } = await listened(create, within);
      const expected = TEXTS.flatMap(parseSse);
      // A priming event may come before them.
      const events = got.slice(got[0]!.data === "" ? 1 : 0);
      deepStrictEqual(events.map(withoutId), expected.map(withoutId));
      const ids = got.map(({ lastEventId }) => lastEventId);
      strictEqual(new Set(ids).size, got.length, "Two events have the same ID");
      for (const id of ids) ok(!/[\r\n\0]/.test(id), JSON.stringify(id));
    },
  },
  {
    behaviour: "S18",
    name: "a stream can be cut at any byte and resumed without a gap",
    run: async ({ create, within }) => {
      const { client, bytes, got } = await listened(create, within);
      // What a client has after each byte: the number of events with data, and
      // its last event ID. Most bytes change neither.
      const withData = (events: readonly ReceivedEvent[]) =>
        events.filter(({ data }) => data !== "").map(withoutId);
      const all = withData(got);
      const seams = new Map<string, { count: number; position: string }>();
      const parser = new SseParser();
      for (const [index] of bytes.entries()) {
        parser.push(bytes.subarray(index, index + 1));
        const { lastEventId: position } = parser;
        const count = withData(parser.events).length;
        if (position === "") strictEqual(count, 0, "An event has no ID");
        else seams.set(`${count} ${position}`, { count, position });
      }
      for (const { count, position } of seams.values()) {
        const stream = await client.listen(position);
        const rest = await within(
          stream.take(all.length - count),
          `what comes after event ${count - 1}`,
        );
        deepStrictEqual(
          rest.map(withoutId),
          all.slice(count),
          `after ${JSON.stringify(all[count - 1])}`,
        );
        await stream.cancel();
      }
    },
  },
];

type Context = Parameters<SessionsCase["run"]>[0];

/** A client that received all the frames, and what it read. */
async function listened(
  create: Context["create"],
  within: Context["within"],
): Promise<{ client: TestClient; bytes: Uint8Array; got: ReceivedEvent[] }> {
  const sessions = await create({ streams: { replay: {} } });
  const client = await TestClient.begin(sessions);
  const response = await client.request("GET");
  const reader = response.body!.getReader();
  for (const text of TEXTS) await sessions.streams.send([client.id], text);
  const parser = new SseParser();
  const chunks: Uint8Array[] = [];
  while (parser.events.at(-1)?.data !== "last") {
    const { done, value } = await within(reader.read(), "the next chunk");
    if (done) break;
    chunks.push(value);
    parser.push(value);
  }
  const bytes = new Uint8Array(
    await new Blob(chunks as BlobPart[]).arrayBuffer(),
  );
  return { client, bytes, got: parser.events };
}

function withoutId({ type, data }: ReceivedEvent): string {
  return `${type}: ${data}`;
}
