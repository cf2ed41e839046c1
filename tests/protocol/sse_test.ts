import {
  formatSseComment,
  formatSseEvent,
  InvalidArgumentError,
  type SseEvent,
} from "@crossmcp/session-manager";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  endsSseFrame,
  splitSseFrames,
  withSseId,
} from "../../src/protocol/sse.ts";
import { parseSse } from "../support/sse_parser.ts";

/** Arbitrary text with many characters that have a meaning in SSE. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom("\r", "\n", "\r\n", "\n\n", ":", " ", "\0", "\uFEFF"),
    fc.constantFrom("data: x", "id: 1", "event: x", "retry: 1", "\u2028"),
    fc.constantFrom("\ud83d", "\u{1f600}", "\t"),
    fc.string({ unit: "binary", maxLength: 3 }),
  ),
  size: "medium",
});
const line = text.filter((text) => !/[\r\n\0]/.test(text));
const parameters = { seed: 1, numRuns: 2_000 };

describe("formatSseEvent", () => {
  it("writes the fields of an event", () => {
    assertEquals(
      formatSseEvent({ event: "message", data: "{}" }),
      "event: message\ndata: {}\n\n",
    );
    assertEquals(
      formatSseEvent({ event: "e", id: "7", retry: 0, data: "a\nb" }),
      "event: e\nid: 7\nretry: 0\ndata: a\ndata: b\n\n",
    );
    assertEquals(formatSseEvent({ data: "" }), "data: \n\n");
    assertEquals(formatSseEvent({}), "\n");
  });

  it("S18 data with any kind of line break parses back", () => {
    const data = "a\rb\nc\r\nd\n\re\r\rf\n\ng\n";
    assertEquals(parseSse(formatSseEvent({ data })).events, [
      { event: "message", data: "a\nb\nc\nd\n\ne\n\nf\n\ng\n", id: "" },
    ]);
  });

  it("S18 any event parses back", () => {
    const field = <Value>(value: fc.Arbitrary<Value>) =>
      fc.option(value, { nil: undefined });
    const event: fc.Arbitrary<SseEvent> = fc.record({
      event: field(line),
      id: field(line),
      retry: field(fc.maxSafeNat()),
      data: field(text),
    });
    fc.assert(
      fc.property(event, text, (event, comment) => {
        const parsed = parseSse(
          formatSseComment(comment) + formatSseEvent(event) +
            formatSseComment(comment) + formatSseEvent({ data: "last" }),
        );
        const id = event.id ?? "";
        const expected = event.data === undefined ? [] : [{
          event: event.event || "message",
          data: event.data.replace(/\r\n?/g, "\n"),
          id,
        }];
        assertEquals(parsed.events, [
          ...expected,
          { event: "message", data: "last", id },
        ]);
        assertEquals(parsed.lastEventId, id);
        assertEquals(parsed.retry, event.retry);
        const lines = comment.split(/\r\n?|\n/);
        assertEquals(parsed.comments, [...lines, ...lines]);
      }),
      parameters,
    );
  });

  it("S18 rejects event names and IDs with line breaks or NUL", () => {
    for (const field of ["event", "id"] as const) {
      for (
        const value of [
          "a\rb",
          "a\nb",
          "a\r\nb",
          "\n",
          "a\r",
          "\n\ndata: forged",
          "\0",
          "a\0b",
        ]
      ) {
        const error = assertThrows(
          () => formatSseEvent({ [field]: value, data: "x" }),
          InvalidArgumentError,
          "one line without NUL",
        );
        assertEquals(error.argument, field);
        assert(
          !/[\r\n\0]/.test(error.message),
          "The message contains a line break.",
        );
      }
      // These are not line breaks in SSE.
      for (const value of ["", " a", "\u2028", "\u0085", "\v\f", "a: b"]) {
        const { events } = parseSse(
          formatSseEvent({ [field]: value, data: "x" }),
        );
        assertEquals(events.length, 1);
        assertEquals(
          events[0]![field],
          value || (field === "id" ? "" : "message"),
        );
      }
    }
  });

  it("rejects values of the wrong type", () => {
    for (const value of [null, 7, {}, ["x"], true]) {
      for (const field of ["event", "id", "data"] as const) {
        const error = assertThrows(
          () => formatSseEvent({ [field]: value as unknown as string }),
          InvalidArgumentError,
          "must be a string",
        );
        assertEquals(error.argument, field);
      }
      assertThrows(
        () => formatSseComment(value as unknown as string),
        InvalidArgumentError,
        "must be a string",
      );
    }
    for (const retry of [-1, 1.5, NaN, Infinity, 2 ** 53, "1", null]) {
      const error = assertThrows(
        () => formatSseEvent({ retry: retry as number }),
        InvalidArgumentError,
        "whole number of milliseconds",
      );
      assertEquals(error.argument, "retry");
    }
  });
});

describe("formatSseComment", () => {
  it("writes a comment that is complete", () => {
    assertEquals(formatSseComment("keep-alive"), ": keep-alive\n\n");
    assertEquals(formatSseComment(""), ": \n\n");
    assertEquals(formatSseComment("a\r\ndata: b"), ": a\n: data: b\n\n");
  });
});

const LINE_BREAKS = ["\n", "\r\n", "\r"];

describe("splitSseFrames", () => {
  it("splits after each empty line, with any kind of line break", () => {
    for (const end of LINE_BREAKS) {
      const frames = [
        `data: 1${end}${end}`,
        `event: e${end}data: 2${end}${end}`,
      ];
      assertEquals(splitSseFrames(frames.join("")), frames);
      assertEquals(splitSseFrames(frames[1]!), [frames[1]!]);
      const rest = `data: 3${end}`;
      assertEquals(splitSseFrames(frames.join("") + rest), [...frames, rest]);
      assertEquals(splitSseFrames("data: 4"), ["data: 4"]);
    }
    assertEquals(splitSseFrames("a\n\r\nb\r\n\nc\r\n\rd\r\rd"), [
      "a\n\r\n",
      "b\r\n\n",
      "c\r\n\r",
      "d\r\r",
      "d",
    ]);
    for (const empty of ["\r\r", "\r\n\r\n", "\n\r"]) {
      assertEquals(splitSseFrames(`a${empty}b\n\n`), [`a${empty}`, "b\n\n"]);
    }
    assertEquals(splitSseFrames("a\r\nb\r\n"), ["a\r\nb\r\n"]);
    assertEquals(splitSseFrames(""), []);
  });

  it("keeps every character and splits no event", () => {
    fc.assert(
      fc.property(text, (text) => {
        const frames = splitSseFrames(text);
        assertEquals(frames.join(""), text);
        for (const frame of frames.slice(0, -1)) assert(endsSseFrame(frame));
        for (const frame of frames) {
          assert(
            parseSse(frame).events.length <= 1,
            "A frame contains two events.",
          );
        }
      }),
      parameters,
    );
  });
});

describe("withSseId", () => {
  it("sets the ID of a frame, replacing an existing one", () => {
    for (const end of LINE_BREAKS) {
      for (
        const lines of [
          ["data: x"],
          ["id: old", "data: x"],
          ["data: x", "id: old"],
          ["data: x", "id"],
        ]
      ) {
        for (const last of [end + end, end.repeat(4), end, ""]) {
          const frame = withSseId(lines.join(end) + last, "e-7");
          const next = withSseId("data: next\n\n", "e-8");
          assertEquals(parseSse(frame + next).events, [
            { event: "message", data: "x", id: "e-7" },
            { event: "message", data: "next", id: "e-8" },
          ]);
        }
      }
    }
  });

  it("changes nothing but the ID", () => {
    fc.assert(
      fc.property(text, (text) => {
        const frames = splitSseFrames(text);
        const withIds = frames.map((frame, index) =>
          withSseId(frame, `e-${index}`)
        );
        // `withSseId` adds a missing empty line at the end.
        const plain = parseSse(`${text}\n\n`);
        const parsed = parseSse(withIds.join(""));
        const parts = ({ event, data }: { event: string; data: string }) => ({
          event,
          data,
        });
        assertEquals(parsed.events.map(parts), plain.events.map(parts));
        const indices = parsed.events.map(({ id }) => Number(id.slice(2)));
        assertEquals(indices, [...new Set(indices)].sort((a, b) => a - b));
        assert(withIds.every(endsSseFrame), "A frame is incomplete.");
      }),
      parameters,
    );
  });
});

describe("endsSseFrame", () => {
  it("returns true only after an empty line", () => {
    for (const text of ["a\n\n", "a\r\r", "a\r\n\r\n", "a\n\r\n", "a\r\n\n"]) {
      assert(endsSseFrame(text), JSON.stringify(text));
    }
    for (const text of ["", "a", "a\n", "a\r", "a\r\n", "\n\na", "\r\n"]) {
      assert(!endsSseFrame(text), JSON.stringify(text));
    }
  });
});
