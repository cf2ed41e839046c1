import { assert, assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { connectSse, whoAmI } from "./clients.ts";
import { NEWS } from "./server.ts";
import { until } from "./until.ts";
import type { Workers } from "./workers.ts";
import {
  assertOnEach,
  countNotifications,
  waitForNotifications,
} from "./workers_clients.ts";
import { roundRobinNetwork } from "./workers_network.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";

/**
 * Tests HTTP with SSE, the transport of 2024-11-05, with workers behind a load
 * balancer without sticky sessions.
 *
 * @param start Starts the workers.
 */
export function testSse(start: () => Promise<Workers>): void {
  let workers: Workers;
  let workerCount = 0;
  before(async () => {
    workers = await start();
    workerCount = workers.alive.length;
  });
  after(() => workers?.close());

  it("C1 C4 a POST on one worker is answered through the stream on another", async () => {
    const before = await owners();
    await using alice = await connect("alice");
    const owner = await findNewOwner(before);
    assertEquals(alice.client.getServerVersion()?.name, "end-to-end");
    const answeredBy = new Set<string>();
    for (let request = 0; request < 8; request++) {
      const result = await alice.client.callTool({ name: "which-worker" });
      const [content] = result.content as { text: string }[];
      answeredBy.add(content!.text);
      assertEquals(await whoAmI(alice.client), {
        clientInfo: { name: "alice", version: "1.2.3" },
        clientCapabilities: {},
      });
    }
    answeredBy.delete(owner);
    assert(
      answeredBy.size > 0,
      `All requests were answered by worker ${owner}.`,
    );
  });

  it("C1 each broadcast reaches the streams of all workers once", async () => {
    const clients = [];
    for (let index = 0; index < 8; index++) clients.push(await connect());
    try {
      const streams = await owners();
      assert(streams.filter((count) => count > 0).length > 1, `${streams}`);
      for (const worker of workers.alive) await worker.call("renameTools");
      await waitForNotifications(clients, workerCount);
      for (const worker of workers.alive) await worker.call("renameTools");
      await waitForNotifications(clients, 2 * workerCount);
      for (const client of clients) {
        assertEquals(countNotifications(client), {
          [TOOLS_CHANGED]: 2 * workerCount,
        });
      }
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  });

  it("C4 subscriptions and log levels apply on all workers", async () => {
    await using alice = await connect();
    await using bob = await connect();
    await alice.client.subscribeResource({ uri: NEWS });
    await assertOnEach(
      workers,
      (worker) => worker.call("sseSubscribers", NEWS),
      [alice.sessionId],
    );
    for (const worker of workers.alive) await worker.call("print", NEWS);
    for (const worker of workers.alive) await worker.call("renameTools");
    await waitForNotifications([alice], 2 * workerCount);
    await waitForNotifications([bob], workerCount);
    assertEquals(countNotifications(alice), {
      [`${UPDATED} ${NEWS}`]: workerCount,
      [TOOLS_CHANGED]: workerCount,
    });
    assertEquals(countNotifications(bob), { [TOOLS_CHANGED]: workerCount });

    await alice.client.setLoggingLevel("critical");
    await until(
      async () => {
        const info = await whoAmI(alice.client) as { logLevel?: string };
        return info.logLevel === "critical";
      },
      "the log level",
    );
  });

  it("C3 DELETE on any worker ends the stream, and the end of a stream ends the session", async () => {
    for (const { httpUrl } of workers.alive) {
      await using alice = await connect();
      const url = new URL("/sse", httpUrl);
      url.searchParams.set("session_id", alice.sessionId);
      const response = await fetch(url, { method: "DELETE" });
      await response.body?.cancel();
      assertEquals(response.status, 200);
      await until(() => alice.errors.length > 0, "the stream to end");
      await waitUntilGone(alice.sessionId);
    }
    await using bob = await connect();
    await assertOnEach(
      workers,
      (worker) => worker.call("hasSse", bob.sessionId),
      true,
    );
    bob.breakStream();
    await waitUntilGone(bob.sessionId);
  });

  it("C1 no errors were reported", async () => {
    await assertOnEach(workers, (worker) => worker.call("reported"), []);
  });

  function connect(name?: string) {
    const { fetch } = roundRobinNetwork();
    return connectSse(workers.sseUrl, { name, fetch });
  }

  function waitUntilGone(id: string): Promise<void> {
    return assertOnEach(workers, (worker) => worker.call("hasSse", id), false);
  }

  function owners(): Promise<number[]> {
    return Promise.all(
      workers.alive.map((worker) => worker.call("sseStreams")),
    );
  }

  /** Returns the worker that has one more stream than before. */
  async function findNewOwner(before: readonly number[]): Promise<string> {
    const streams = await owners();
    const index = streams.findIndex((count, at) => count > before[at]!);
    return workers.alive[index]!.name;
  }
}
