import { assert, assertEquals, assertLess } from "@std/assert";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { until, within } from "../e2e/support/until.ts";
import { listenHttp, SERVERS } from "./support/servers.ts";
import { connectionsOf, fill, startStreams } from "./support/streams.ts";

const MIB = 1_048_576;
/** Deno and Bun don't close the connection of a response that has ended. */
const itOnNode = "Deno" in globalThis || "Bun" in globalThis ? it.skip : it;

/** Closes a server; resolves when its connections have ended. */
function closed({ server }: { server: { close(done: () => void): unknown } }) {
  return new Promise<void>((resolve) => server.close(() => resolve()));
}

describe("Streams that write to Node's responses", () => {
  it("S10 count what the socket has not sent", async () => {
    await using server = await startStreams({
      streams: { backlog: { maxBytes: Infinity } },
    });
    let socket: Socket | undefined;
    const id = await server.begin();
    server.server.once("connection", (connection) => socket = connection);
    const reader = await server.open(id);
    reader.pause();
    await fill(server, id, 8 * MIB);
    // Each write has a length and two line breaks around it.
    const { queuedBytes } = server.sessions.stats();
    // Bun's sockets don't count what they have not sent.
    if (!("Bun" in globalThis)) {
      const framing = 20 * queuedBytes / 100_000;
      assertLess(Math.abs(socket!.writableLength - queuedBytes), framing);
    }
    reader.resume();
    await until(
      () => server.sessions.stats().queuedBytes === 0,
      "everything to be sent",
    );
    assertEquals(socket!.writableLength, 0);
    reader.destroy();
  });

  it("S10 destroy the connection of a slow reader that is evicted", async () => {
    for (
      const [backlog, reason] of [
        [{ maxBytes: MIB, maxAgeMs: Infinity }, "bytes"],
        [{ maxBytes: Infinity, maxAgeMs: 200 }, "age"],
      ] as const
    ) {
      await using server = await startStreams({ streams: { backlog } });
      const id = await server.begin();
      const reader = await server.open(id);
      reader.pause();
      await until(() => {
        server.sessions.streams.send([id], `data: ${"x".repeat(100_000)}\n\n`);
        return server.evicted.has(id);
      }, "the eviction");
      assertEquals(server.evicted.get(id), reason);
      // It still doesn't read, and doesn't close the connection either.
      await within(closed(server), "the server to close");
      assertEquals(server.reported, []);
      reader.destroy();
    }
  });

  itOnNode(
    "S3 end the connection of a stream that was replaced, also a stalled one",
    async () => {
      await using server = await startStreams({ streams: { backlog: false } });
      const id = await server.begin();
      const stalled = await server.open(id);
      stalled.pause();
      await fill(server, id, MIB);
      const second = await server.open(id);
      const third = await server.open(id);
      server.sessions.streams.send([id], "data: new\n\n");
      await until(() => third.received().includes("new"), "the frame");
      await until(
        () => second.received().endsWith("\r\n0\r\n\r\n"),
        "the second stream to end",
      );
      second.destroy();
      await until(
        async () => await connectionsOf(server) <= 1,
        "the stalled connection to end",
      );
      assertEquals(server.reported, []);
      for (const socket of [stalled, third]) socket.destroy();
    },
  );

  itOnNode(
    "S13 close ends all connections, those of stalled readers in time",
    async () => {
      await using server = await startStreams({
        streams: { backlog: { maxBytes: Infinity, maxAgeMs: 1_500 } },
      });
      const [quick, slow] = [await server.begin(), await server.begin()];
      const reader = await server.open(quick);
      const stalled = await server.open(slow);
      stalled.pause();
      await fill(server, slow, MIB);
      server.sessions.streams.send(undefined, "data: last\n\n");
      await server.sessions.close();
      await until(
        () => reader.received().endsWith("\r\n0\r\n\r\n"),
        "the stream to end",
      );
      reader.destroy();
      await until(
        async () => await connectionsOf(server) === 0,
        "the stalled connection to end",
      );
      assert(reader.received().includes("data: last\n\n"));
      assertEquals(server.reported, []);
      stalled.destroy();
    },
  );

  it("S13 a drain leaves no connection open", async () => {
    await using server = await startStreams({ streams: { backlog: false } });
    const stalled = await Promise.all([1, 2, 3].map(async () => {
      const id = await server.begin();
      const socket = await server.open(id);
      socket.pause();
      await fill(server, id, MIB);
      return socket;
    }));
    await within(server.sessions.close({ drainMs: 200 }), "the drain");
    await within(closed(server), "the server to close");
    for (const socket of stalled) socket.destroy();
  });

  itOnNode("S10 evict a slow reader behind compression by bytes", async () => {
    await using server = await startStreams(
      { streams: { backlog: { maxBytes: MIB, maxAgeMs: Infinity } } },
      undefined,
      SERVERS["Connect with compression"],
    );
    const id = await server.begin();
    const { url } = server;
    const response = await fetch(url, {
      headers: { "mcp-session-id": id, "accept-encoding": "gzip" },
    });
    assertEquals(response.headers.get("content-encoding"), "gzip");
    await until(() => {
      // Random bytes cannot be compressed to less than three quarters.
      const bytes = crypto.getRandomValues(new Uint8Array(50_000));
      const text = btoa(String.fromCharCode(...bytes));
      server.sessions.streams.send([id], `data: ${text}\n\n`);
      return server.evicted.has(id);
    }, "the eviction");
    assertEquals(server.evicted.get(id), "bytes");
    await within(closed(server), "the server to close");
    await response.body!.cancel().catch(() => {});
  });

  it("S6 remove the stream of a transport that ends it itself", async () => {
    for (const end of ["close", "error"] as const) {
      let controller: ReadableStreamDefaultController | undefined;
      await using server = await startStreams(
        {},
        (id, streams) =>
          new ReadableStream({
            start(given) {
              controller = given;
              streams.create(id, given);
            },
          }),
        listenHttp,
      );
      const id = await server.begin();
      const reader = await server.open(id);
      server.sessions.streams.send([id], "data: 1\n\n");
      await until(() => reader.received().includes("data: 1"), "the frame");
      controller![end]();
      await until(async () => {
        server.sessions.streams.send([id], "data: 2\n\n");
        return !await server.sessions.streams.has(id);
      }, "the stream to be removed");
      assert(server.reported.length > 0);
      reader.destroy();
    }
  });
});
