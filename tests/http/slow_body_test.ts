import {
  InMemorySessions,
  type RefusalReason,
} from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { within } from "../e2e/support/until.ts";

describe("bodies that never end", () => {
  for (const session of ["unknown", undefined]) {
    it(`L9 get 408 and are not passed on, session ${session}`, async () => {
      const refusals: RefusalReason[] = [];
      await using sessions = new InMemorySessions({
        http: { bodyTimeoutMs: 30, maxNewSessionsPerSecond: 1 },
        onRefuse: (reason) => refusals.push(reason),
      });
      const principal = "alice";
      const methods: string[] = [];
      const guard = (request: Request) =>
        sessions.guard(request, ({ method }) => {
          methods.push(method);
          const headers = { "mcp-session-id": crypto.randomUUID() };
          return new Response(null, { headers });
        }, { principal });
      const post = (body: BodyInit, id?: string) =>
        new Request(
          "http://localhost/mcp",
          {
            method: "POST",
            headers: {
              "content-type": "application/json",
              ...(id !== undefined && { "mcp-session-id": id }),
            },
            body,
            duplex: "half",
          } as RequestInit,
        );
      // From now on, a body without a session is read as well.
      assertEquals((await guard(post("{}"))).status, 200);
      let pulled = 0;
      const endless = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          // The client sends something, and then nothing more.
          if (pulled++ === 0) controller.enqueue(new Uint8Array([0x7b]));
          return pulled === 1 ? undefined : new Promise(() => {});
        },
      });
      const response = await within(
        guard(post(endless, session)),
        "a response",
      );
      assertEquals(response.status, 408);
      const { error } = await response.json();
      assertEquals(error.message, "Request Timeout");
      assertEquals(refusals, ["slowBody"]);
      assert(!methods.slice(1).includes("POST"), `It got ${methods}.`);
    });
  }
});
