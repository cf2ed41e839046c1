import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { isRequestKey, sessionIdOf } from "../../src/replay/request_key.ts";
import {
  formatRequestEventId,
  newKey,
  parseRequestEventId,
} from "../../src/requests/request_event_id.ts";

const LOG_EVENT_ID = "0123456789abcdef-42";

describe("The ID of an event of a request", () => {
  for (const requestId of [7, -1, 0.5, "a", "", "caf\u00e9 \u{1F600}\r\n"]) {
    it(`carries the request ID ${JSON.stringify(requestId)}`, () => {
      const key = newKey("session", requestId);
      const id = formatRequestEventId(LOG_EVENT_ID, key);
      assertEquals(/^[\x21-\x7E]+$/.test(id), true, id);
      const parsed = parseRequestEventId(id);
      assertEquals(parsed?.logEventId, LOG_EVENT_ID);
      assertEquals(parsed?.requestId, requestId);
    });
  }

  it("omits a request ID that is unknown or long", () => {
    for (const requestId of [undefined, "x".repeat(1_000)]) {
      const key = newKey("session", requestId);
      const id = formatRequestEventId(LOG_EVENT_ID, key);
      assertEquals(parseRequestEventId(id)?.requestId, undefined);
      assertEquals(id.length < 100, true, id);
    }
  });

  it("is no other ID", () => {
    const name = "0".repeat(32);
    const ids = ["", LOG_EVENT_ID, `~${name}`, `${LOG_EVENT_ID}~`, "a~b"];
    for (const id of [...ids, `${LOG_EVENT_ID}~${name}.!`]) {
      assertEquals(parseRequestEventId(id), undefined, id);
    }
    // Not what this package encodes.
    const forged = `${LOG_EVENT_ID}~${name}.e30`;
    assertEquals(parseRequestEventId(forged)?.requestId, undefined);
  });

  it("belongs to a key that names its session", () => {
    const key = newKey("session", 1);
    assertEquals(isRequestKey(key), true);
    assertEquals(isRequestKey("session"), false);
    assertEquals(sessionIdOf(key), "session");
    assertEquals(sessionIdOf("session"), "session");
  });
});
