import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { AwaitedMessages } from "../../src/requests/awaited_messages.ts";
import { targetOf } from "../../src/requests/message_target.ts";

const SAMPLING = {
  jsonrpc: "2.0",
  id: "7",
  method: "sampling/createMessage",
  params: { _meta: { progressToken: 3 } },
};

function frameOf(message: unknown): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

describe("The messages that a request waits for", () => {
  it("P6 are responses to what the server asked, once", () => {
    const awaited = new AwaitedMessages(1);
    const target = targetOf({ jsonrpc: "2.0", id: "7", result: {} })!;
    assertEquals(awaited.has(target), false);
    awaited.observe(frameOf(SAMPLING));
    assertEquals(awaited.has(target), true);
    // The IDs "7" and 7 differ.
    assertEquals(awaited.has({ kind: "response", id: 7 }), false);
    awaited.receive(target);
    assertEquals(awaited.has(target), false);
  });

  it("P7 are cancellations of the request, and progress of what was asked", () => {
    const awaited = new AwaitedMessages(1);
    awaited.observe(frameOf(SAMPLING));
    const cancelled = targetOf({
      method: "notifications/cancelled",
      params: { requestId: 1 },
    })!;
    const progress = targetOf({
      method: "notifications/progress",
      params: { progressToken: 3, progress: 1 },
    })!;
    for (const target of [cancelled, progress]) {
      assertEquals(awaited.has(target), true);
      assertEquals(awaited.has({ ...target, id: 99 }), false);
    }
  });

  it("are not awaited because of other frames", () => {
    const awaited = new AwaitedMessages(undefined);
    for (
      const frame of [
        frameOf({ jsonrpc: "2.0", id: 7, result: { method: "x" } }),
        frameOf({
          jsonrpc: "2.0",
          method: "notifications/message",
          params: {},
        }),
        'data: {"method": "x", "id": 7\n\n',
        ': "method" "id"\n\n',
      ]
    ) awaited.observe(frame);
    assertEquals(awaited.has({ kind: "response", id: 7 }), false);
  });
});

describe("The target of a message", () => {
  it("is undefined for requests, other notifications, and what is no message", () => {
    for (
      const message of [
        { jsonrpc: "2.0", id: 1, method: "ping" },
        { jsonrpc: "2.0", method: "notifications/initialized" },
        { jsonrpc: "2.0", method: "notifications/cancelled" },
        { jsonrpc: "2.0", result: {} },
        { jsonrpc: "2.0", id: null, error: {} },
        [{ jsonrpc: "2.0", id: 1, result: {} }],
        null,
        undefined,
        "text",
      ]
    ) assertEquals(targetOf(message), undefined, JSON.stringify(message));
  });
});
