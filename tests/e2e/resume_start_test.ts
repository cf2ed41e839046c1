import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { readEvents } from "./support/event_stream.ts";
import { beginSession, sendRequest, startGuarded } from "./support/guarded.ts";
import { engines } from "./support/serve.ts";
import { until } from "./support/until.ts";
import { resetCounts } from "../support/empty_stats.ts";

const PRIMED = ["2025-11-25", "2025-12-01", "2026-07-27"];
/** Protocol versions whose clients may not support events without data. */
const EARLIER = [
  undefined,
  "2024-11-05",
  "2025-03-26",
  "2025-06-18",
  "DRAFT-2026-v1",
  "9999",
];

for (const engine of engines) {
  describe(`The start of a stream, on ${engine}`, () => {
    it("H4 a new stream starts with a priming event, which has a name for clients before 2025-11-25", async () => {
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
      });
      const { httpUrl, sessions: { streams } } = server;
      const id = await beginSession(httpUrl);
      for (const version of [...PRIMED, ...EARLIER]) {
        streams.send(undefined, frameOf("before"));
        const { latestEventId } = streams;
        const stream = await readEvents(
          await sendRequest(httpUrl, {
            "mcp-session-id": id,
            ...version !== undefined && { "mcp-protocol-version": version },
          }),
        );
        const isPrimed = PRIMED.includes(version ?? "");
        assertEquals(
          stream.text().split("\n\n")[0],
          `${isPrimed ? "" : "event: position\n"}id: ${latestEventId}\ndata: `,
        );
        assertEquals(stream.events().length, 1);
        await stream.cancel();
      }
    });

    it("H4 a resumed stream starts after the last event ID", async () => {
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
      });
      const { httpUrl, sessions: { streams } } = server;
      const id = await beginSession(httpUrl);
      const headers = {
        "mcp-session-id": id,
        "mcp-protocol-version": "2025-11-25",
      };
      const first = await readEvents(await sendRequest(httpUrl, headers));
      const [start] = first.events();
      await first.cancel();
      for (let number = 0; number < 3; number++) {
        streams.send([id], frameOf(String(number)));
      }
      const second = await readEvents(
        await sendRequest(httpUrl, { ...headers, "last-event-id": start!.id! }),
      );
      streams.send([id], frameOf("live"));
      await until(() => second.text().includes("live"), "the live event");
      assertEquals(
        second.events().map(({ data }) => data).filter((data) => data !== ""),
        ["0", "1", "2", "live"],
      );
      await second.cancel();
    });

    it("H4 a stream does not repeat events that its predecessor still delivers", async () => {
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
      });
      const { httpUrl, sessions } = server;
      const { streams } = sessions;
      const id = await beginSession(httpUrl);
      const headers = { "mcp-session-id": id };
      const first = await readEvents(await sendRequest(httpUrl, headers));
      const position = streams.latestEventId!;
      // All within one turn of the event loop. Streams are written to at its
      // end.
      for (let number = 0; number < 3; number++) {
        streams.send([id], frameOf(String(number)));
      }
      const request = new Request(httpUrl, {
        headers: { ...headers, "last-event-id": position },
      });
      const second = await readEvents(
        await sessions.guard(
          request,
          (request) => server.http.respond(request),
        ),
      );
      streams.send([id], frameOf("live"));
      await until(() => second.text().includes("live"), "the live event");
      assertEquals(
        second.events().map(({ data }) => data).filter((data) => data !== ""),
        ["0", "1", "2", "live"],
      );
      await second.cancel();
      await first.ended;
    });

    it("a stream without replay starts empty", async () => {
      await using server = await startGuarded(engine);
      const { httpUrl, sessions } = server;
      const id = await beginSession(httpUrl);
      for (const position of [undefined, "garbage", "0123456789abcdef-1"]) {
        const stream = await readEvents(
          await sendRequest(httpUrl, {
            "mcp-session-id": id,
            "mcp-protocol-version": "2025-11-25",
            ...position !== undefined && { "last-event-id": position },
          }),
        );
        sessions.streams.send([id], frameOf("live"));
        await until(() => stream.text().includes("live"), "the live event");
        assertEquals(stream.text(), ": connected\n\ndata: live\n\n");
        await stream.cancel();
      }
      assertEquals(sessions.stats().resets, resetCounts());
    });

    it("H4 of overlapping GETs, each stream starts after its own last event ID", async () => {
      let release = () => {};
      const released = new Promise<void>((resolve) => release = resolve);
      await using server = await startGuarded(engine, {
        streams: { replay: {} },
        // Simulates a transport that looks up a token in a database.
        wrapTransport: (respond) => async (request) => {
          if (request.headers.has("x-slow")) await released;
          return await respond(request);
        },
      });
      const { httpUrl, sessions: { streams } } = server;
      const id = await beginSession(httpUrl);
      const positions = [streams.latestEventId!];
      for (let number = 0; number < 4; number++) {
        streams.send([id], frameOf(String(number)));
        positions.push(streams.latestEventId!);
      }
      const resume = (position: string, more: Record<string, string> = {}) =>
        sendRequest(httpUrl, {
          "mcp-session-id": id,
          "last-event-id": position,
          ...more,
        });
      const slow = resume(positions[1]!, { "x-slow": "1" });
      await new Promise((resolve) => setTimeout(resolve, 30));
      const quick = resume(positions[3]!);
      await new Promise((resolve) => setTimeout(resolve, 30));
      release();
      const [slowStream, quickStream] = [
        await readEvents(await slow),
        await readEvents(await quick),
      ];
      const dataOf = ({ events }: typeof slowStream) =>
        events().map(({ data }) => data).filter((data) => data !== "");
      assertEquals(dataOf(slowStream), ["1", "2", "3"]);
      assertEquals(dataOf(quickStream), ["3"]);
      await streams.delete(id);
    });
  });
}

function frameOf(data: string): string {
  return `data: ${data}\n\n`;
}
