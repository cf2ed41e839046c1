import { assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  LimitedRequest,
  readMessage,
  withKnownBody,
} from "../../src/http/request_body.ts";
import { TimeLimit } from "../../src/runtime/deadline.ts";
import { Scheduler } from "../../src/runtime/scheduler.ts";

const MESSAGE = { jsonrpc: "2.0", id: 1, method: "ping" };
const TEXT = JSON.stringify(MESSAGE);
const limits = { bodies: new TimeLimit(Infinity, new Scheduler()) };

function post(body: string): Request {
  const headers = { "content-type": "application/json" };
  return new Request("http://localhost/mcp", { method: "POST", headers, body });
}

describe("the body of a request", () => {
  it("is read once, and its copy can be read by others", async () => {
    const request = post(TEXT);
    const { message, body, copy } = await readMessage(request, limits);
    assertEquals([message, body], [MESSAGE, TEXT]);
    assertEquals(request.bodyUsed, true);
    const again = await readMessage(copy, limits);
    assertStrictEquals(again.message, message);
    assertStrictEquals(again.copy, copy);
    assertEquals(copy.bodyUsed, false);
    assertEquals(await copy.json(), MESSAGE);
  });

  it("is no message if it is no JSON, but is passed on", async () => {
    const { message, body, copy } = await readMessage(post("{"), limits);
    assertEquals([message, body], [undefined, "{"]);
    const again = await readMessage(copy, limits);
    assertEquals([again.message, again.body], [undefined, "{"]);
    assertEquals(await copy.text(), "{");
  });

  it("is limited in size, also if it is known", async () => {
    const known = { text: TEXT, message: MESSAGE };
    const small = withKnownBody(post(TEXT), known);
    assertStrictEquals(new LimitedRequest(small, 1_000).request, small);
    const large = withKnownBody(post(TEXT), known);
    const limited = new LimitedRequest(large, TEXT.length - 1);
    await limited.request.text().catch(() => {});
    assertEquals(limited.isTooLarge, true);
  });
});
