import { assert, assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { connectSse, whoAmI } from "./clients.ts";
import { NEWS } from "./server.ts";
import { until } from "./until.ts";
import type { Workers } from "./workers.ts";
import { countsOf, onEach, seenBy } from "./workers_clients.ts";
import { scatter } from "./workers_network.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";

/**
 * The transport of 2024-11-05, at workers behind a load balancer that knows of no clients.
 *
 * @param start Starts the workers.
 */
export function testSse(start: () => Promise<Workers>): void {
  let workers: Workers;
  /** How many there are. */
  let size = 0;
  before(async () => {
    workers = await start();
    size = workers.alive.length;
  });
  after(() => workers?.close());

  it("C1 C4 a POST on one worker is answered through the stream on another", async () => {
    const before = await owners();
    await using alice = await connect("alice");
    const home = await newHome(before);
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
    answeredBy.delete(home);
    assert(answeredBy.size > 0, `All were answered by ${home} itself.`);
  });

  it("C1 what one worker sends reaches the streams on all of them, once", async () => {
    const clients = [];
    for (let place = 0; place < 8; place++) clients.push(await connect());
    try {
      const streams = await owners();
      assert(streams.filter((count) => count > 0).length > 1, `${streams}`);
      for (const worker of workers.alive) await worker.call("renameTools");
      await seenBy(clients, size);
      for (const worker of workers.alive) await worker.call("renameTools");
      await seenBy(clients, 2 * size);
      for (const client of clients) {
        assertEquals(countsOf(client), { [TOOLS_CHANGED]: 2 * size });
      }
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  });

  it("C4 subscriptions and log levels hold on all workers", async () => {
    await using alice = await connect();
    await using bob = await connect();
    await alice.client.subscribeResource({ uri: NEWS });
    await onEach(
      workers,
      (worker) => worker.call("sseSubscribers", NEWS),
      [alice.sessionId],
    );
    for (const worker of workers.alive) await worker.call("print", NEWS);
    for (const worker of workers.alive) await worker.call("renameTools");
    await seenBy([alice], 2 * size);
    await seenBy([bob], size);
    assertEquals(countsOf(alice), {
      [`${UPDATED} ${NEWS}`]: size,
      [TOOLS_CHANGED]: size,
    });
    assertEquals(countsOf(bob), { [TOOLS_CHANGED]: size });

    await alice.client.setLoggingLevel("critical");
    await until(
      async () => {
        const known = await whoAmI(alice.client) as { logLevel?: string };
        return known.logLevel === "critical";
      },
      "the log level",
    );
  });

  it("C3 DELETE through any worker ends the stream, and the end of a stream ends the session", async () => {
    for (const { httpUrl } of workers.alive) {
      await using alice = await connect();
      const url = new URL("/sse", httpUrl);
      url.searchParams.set("session_id", alice.sessionId);
      const response = await fetch(url, { method: "DELETE" });
      await response.body?.cancel();
      assertEquals(response.status, 200);
      await until(() => alice.errors.length > 0, "the end of the stream");
      await isGone(alice.sessionId);
    }
    await using bob = await connect();
    await onEach(
      workers,
      (worker) => worker.call("hasSse", bob.sessionId),
      true,
    );
    bob.breakStream();
    await isGone(bob.sessionId);
  });

  it("C1 no errors were reported", async () => {
    await onEach(workers, (worker) => worker.call("reported"), []);
  });

  function connect(name?: string) {
    const { fetch } = scatter();
    return connectSse(workers.sseUrl, { name, fetch });
  }

  function isGone(id: string): Promise<void> {
    return onEach(workers, (worker) => worker.call("hasSse", id), false);
  }

  function owners(): Promise<number[]> {
    return Promise.all(
      workers.alive.map((worker) => worker.call("sseStreams")),
    );
  }

  /** Which worker has one stream more. */
  async function newHome(before: readonly number[]): Promise<string> {
    const streams = await owners();
    const place = streams.findIndex((count, at) => count > before[at]!);
    return workers.alive[place]!.name;
  }
}
