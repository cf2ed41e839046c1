import { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
import { toNodeHandler } from "@crossmcp/session-manager/node";
import { assertEquals } from "@std/assert";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { lastEventIdOf, openSocket } from "../e2e/support/raw_socket.ts";
import { until, within } from "../e2e/support/until.ts";
import { listenHttp } from "./support/servers.ts";
import { commentedBody } from "./support/streams.ts";

describe("A session that moves to another node", () => {
  it("S14 C5 writes to the response there, after what its client missed", async () => {
    const name = crypto.randomUUID();
    await using first = new BroadcastChannelSessions(name, {
      streams: { replay: {} },
    });
    await using second = new BroadcastChannelSessions(name, {
      streams: { replay: {}, backlog: { maxBytes: 1_000_000 } },
    });
    await Promise.all([first.ready, second.ready]);
    let response: ServerResponse | undefined;
    const serve = (sessions: BroadcastChannelSessions) => {
      const handler = toNodeHandler(sessions, (request) => {
        const id = request.headers.get("mcp-session-id");
        const headers = { "content-type": "text/event-stream" };
        return id === null
          ? new Response(null, { headers: { "mcp-session-id": "moving" } })
          : new Response(commentedBody(id, sessions.streams), { headers });
      });
      return listenHttp((request, outgoing) => {
        response = outgoing;
        void handler(request, outgoing);
      });
    };
    await using one = await serve(first);
    await using two = await serve(second);
    await (await fetch(one.url, { method: "POST" })).text();

    const id = { "mcp-session-id": "moving" };
    const old = await openSocket(one.url, "GET", id);
    await until(() => first.streams.has("moving"), "the stream");
    await first.streams.send(["moving"], "data: 1\n\n");
    await until(() => old.received().includes("data: 1"), "the first frame");
    const lastEventId = lastEventIdOf(old);
    old.destroy();
    await until(async () => !await first.streams.has("moving"), "the end");
    await first.streams.send(["moving"], "data: 2\n\n");

    const socket = await openSocket(two.url, "GET", {
      ...id,
      "last-event-id": lastEventId,
    });
    await until(() => socket.received().includes("data: 2"), "the second");
    for (let sent = 3; sent <= 20; sent++) {
      await first.streams.send(["moving"], `data: ${sent}\n\n`);
    }
    await until(() => socket.received().includes("data: 20"), "the others");
    const numbers = [...socket.received().matchAll(/data: (\d+)/g)]
      .map(([, number]) => Number(number));
    assertEquals(numbers, Array.from({ length: 19 }, (_, at) => at + 2));

    // Only a stream that writes to the response counts what it has not sent.
    socket.pause();
    await until(async () => {
      await second.streams.send(["moving"], `: ${"x".repeat(100_000)}\n\n`);
      return second.stats().queuedBytes > 500_000;
    }, "bytes that were not sent");
    // A frame counts until all of it was sent, which may be told a little later.
    await until(
      () =>
        Math.abs(response!.writableLength - second.stats().queuedBytes) <
          101_000,
      "the bytes that the response has not sent",
    );
    socket.destroy();
    await within(second.close(), "the second node to close");
  });
});
