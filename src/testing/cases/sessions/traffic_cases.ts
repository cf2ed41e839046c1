import {
  deepStrictEqual,
  notStrictEqual,
  strictEqual,
} from "node:assert/strict";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { assertErrorResponse } from "../../support/assertions.ts";
import { frame, TestClient } from "../../support/test_client.ts";
import { ENDPOINT, SESSION_HEADER } from "../../support/test_transport.ts";

const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

/** Principals, and requests and responses that pass unchanged. */
export const sessionsTrafficCases: readonly SessionsCase[] = [
  {
    behaviour: "H5",
    name: "a session of another principal looks like an unknown one",
    run: async ({ create, within }) => {
      const sessions = await create();
      const owner = await TestClient.begin(sessions, { principal: "alice" });
      const stream = await owner.listen();
      const { id } = owner;
      const unknownId = crypto.randomUUID();
      for (const principal of ["bob", "", "alice ", "Alice", undefined]) {
        const other = new TestClient(sessions, { id, principal });
        for (const method of ["GET", "POST", "DELETE"]) {
          const what = `${method} by ${principal}`;
          const body = method === "POST" ? PING : undefined;
          const found = await other.request(method, {}, body);
          const unknown = { [SESSION_HEADER]: unknownId };
          const expected = await other.request(method, unknown, body);
          deepStrictEqual(
            [...found.headers].sort(),
            [...expected.headers].sort(),
            what,
          );
          strictEqual(
            await assertErrorResponse(404, found, what),
            await assertErrorResponse(404, expected, what),
          );
        }
        deepStrictEqual(other.transport.seen, []);
      }
      strictEqual(await owner.ping(), 200);
      await sessions.streams.send([id], frame("still mine"));
      strictEqual(
        (await within(stream.take(), "a text"))[0]!.data,
        "still mine",
      );
    },
  },
  {
    behaviour: "H5",
    name:
      "a session that was begun without a principal belongs to no principal",
    run: async ({ create }) => {
      const sessions = await create();
      const client = await TestClient.begin(sessions);
      const other = new TestClient(sessions, { id: client.id, principal: "a" });
      strictEqual(await other.ping(), 404);
      strictEqual(await other.end(), 404);
      strictEqual(await client.ping(), 200);
    },
  },
  {
    behaviour: "H5",
    name:
      "a session ID that two principals were assigned stays with the first one",
    run: async ({ create }) => {
      const sessions = await create();
      const id = "a-weak-id";
      const initialize = (principal: string) =>
        sessions.guard(
          new Request(ENDPOINT, { method: "POST" }),
          () => new Response(null, { headers: { [SESSION_HEADER]: id } }),
          { principal },
        );
      strictEqual((await initialize("alice")).status, 200);
      await assertErrorResponse(404, await initialize("bob"), "The second one");
      const alice = new TestClient(sessions, { id, principal: "alice" });
      const bob = new TestClient(sessions, { id, principal: "bob" });
      strictEqual(await alice.ping(), 200);
      strictEqual(await bob.ping(), 404);
    },
  },
  {
    behaviour: "H6",
    name: "requests without a session ID pass unchanged",
    run: async ({ create }) => {
      const sessions = await create();
      for (const method of ["GET", "POST", "DELETE", "OPTIONS", "PUT"]) {
        const request = new Request(ENDPOINT, { method });
        const response = new Response(null, { status: 418 });
        let seen: Request | undefined;
        const answer = await sessions.guard(request, (given) => {
          seen = given;
          return response;
        });
        strictEqual(seen, request, method);
        strictEqual(answer, response, method);
      }
      const elsewhere = new Request("http://localhost/elsewhere");
      for (const nothing of [null, undefined]) {
        const answer = await sessions.guard(elsewhere, () => nothing);
        strictEqual(answer.status, 404);
        strictEqual(await answer.text(), "");
      }
    },
  },
  {
    behaviour: "H6",
    name: "requests of the per-request era pass, whichever session they name",
    run: async ({ create }) => {
      const sessions = await create();
      const client = await TestClient.begin(sessions);
      const message = { ...PING, method: "subscriptions/listen" };
      for (const id of ["made-up", "no id", client.id]) {
        const response = new Response("", { status: 200 });
        const request = new Request(ENDPOINT, {
          method: "POST",
          headers: {
            [SESSION_HEADER]: id,
            "mcp-protocol-version": "2026-07-28",
            "content-type": "application/json",
          },
          body: JSON.stringify(message),
        });
        let seen: Request | undefined;
        const answer = await sessions.guard(request, (given) => {
          seen = given;
          return response;
        });
        strictEqual(answer, response);
        strictEqual(seen?.headers.get("content-type"), "application/json");
        // In the per-request era the header means nothing.
        strictEqual(seen?.headers.get(SESSION_HEADER), null);
        deepStrictEqual(await seen?.json(), message);
      }
    },
  },
  {
    behaviour: "H6",
    name: "bodies stay unread, and responses are streamed",
    run: async ({ create, within }) => {
      const sessions = await create();
      const client = await TestClient.begin(sessions);
      let asked = 0;
      const post = (id: string | undefined) => {
        const body = new ReadableStream({
          pull: () => void asked++,
        }, { highWaterMark: 0 });
        const headers: Record<string, string> = {};
        if (id !== undefined) headers[SESSION_HEADER] = id;
        const options = { method: "POST", headers, body, duplex: "half" };
        return new Request(ENDPOINT, options as RequestInit);
      };
      for (const id of [undefined, client.id, "made-up"]) {
        let controller: ReadableStreamDefaultController | undefined;
        const stream = new ReadableStream<Uint8Array>({
          start: (given) => void (controller = given),
        });
        const response = new Response(stream);
        const request = post(id);
        const answer = await within(
          sessions.guard(request, (given) => {
            strictEqual(given.bodyUsed, false);
            return response;
          }),
          "a response that goes on",
        );
        if (id === "made-up") {
          notStrictEqual(answer, response);
          continue;
        }
        strictEqual(request.bodyUsed, false);
        const reader = answer.body!.getReader();
        controller?.enqueue(new TextEncoder().encode("first"));
        const { value } = await within(reader.read(), "its first chunk");
        strictEqual(new TextDecoder().decode(value), "first");
        await reader.cancel();
      }
      strictEqual(asked, 0, "The guard read a body");
    },
  },
];
