// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/types"
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { assert, assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { whoAmI } from "./clients.ts";
import { assertCallsSurvive } from "./interrupted_calls.ts";
import { NEWS, WEATHER } from "./server.ts";
import { until } from "./until.ts";
import type { Workers } from "./workers.ts";
import {
  assertOnEach,
  connectMany,
  connectRoundRobin,
  countNotifications,
  waitForNotifications,
} from "./workers_clients.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const TEXT = { type: "text" as const, text: "pong" };
const UPDATED = "notifications/resources/updated";

/**
 * Tests Streamable HTTP in the session era, with workers behind a load balancer
 * without sticky sessions.
 *
 * @param start Starts the workers.
 */
export function testHttp(start: () => Promise<Workers>): void {
  let workers: Workers;
  let workerCount = 0;
  before(async () => {
    workers = await start();
    workerCount = workers.alive.length;
  });
  after(() => workers?.close());

  it("H7 C4 every worker knows a client, whichever worker its requests reach", async () => {
    await using alice = await connectRoundRobin(workers, {
      name: "alice",
      capabilities: { sampling: {} },
    });
    assertEquals(alice.client.getServerVersion()?.name, "end-to-end");
    for (let request = 0; request < workerCount; request++) {
      const { tools } = await alice.client.listTools();
      assert(tools.some(({ name }) => name === "who-am-i"));
      assertEquals(await whoAmI(alice.client), {
        clientInfo: { name: "alice", version: "1.2.3" },
        clientCapabilities: { sampling: {} },
      });
    }
    const { exchanges } = alice.network;
    assertEquals(
      new Set(exchanges.map(({ worker }) => worker)).size,
      workerCount,
    );
    assertEquals(exchanges.filter(({ status }) => status >= 300), []);
  });

  it("C1 each broadcast reaches the streams of all workers once", async () => {
    const clients = await connectMany(workers, 8);
    try {
      for (const worker of workers.alive) await worker.call("renameTools");
      await waitForNotifications(clients, workerCount);
      // Duplicates of the first notifications would arrive before these.
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

  it("C1 C4 resource subscriptions apply on all workers until they end", async () => {
    await using alice = await connectRoundRobin(workers);
    await using bob = await connectRoundRobin(workers);
    await alice.client.subscribeResource({ uri: NEWS });
    await bob.client.subscribeResource({ uri: WEATHER });
    // tmcp responds before the managers have stored the subscription.
    await subscribers(NEWS, [alice.sessionId]);
    await subscribers(WEATHER, [bob.sessionId]);
    for (const worker of workers.alive) await worker.call("print", NEWS);
    await waitForNotifications([alice], workerCount);
    await alice.client.unsubscribeResource({ uri: NEWS });
    await subscribers(NEWS, []);
    for (const worker of workers.alive) {
      await worker.call("print", NEWS);
      await worker.call("print", WEATHER);
      await worker.call("renameTools");
    }
    await waitForNotifications([alice, bob], 2 * workerCount);
    assertEquals(countNotifications(alice), {
      [`${UPDATED} ${NEWS}`]: workerCount,
      [TOOLS_CHANGED]: workerCount,
    });
    assertEquals(countNotifications(bob), {
      [`${UPDATED} ${WEATHER}`]: workerCount,
      [TOOLS_CHANGED]: workerCount,
    });
  });

  it("C4 a log level that was set on one worker applies on the others", async () => {
    await using alice = await connectRoundRobin(workers);
    for (const level of ["warning", "debug", "emergency"] as const) {
      await alice.client.setLoggingLevel(level);
      await assertOnEach(
        workers,
        (worker) => worker.call("logLevel", alice.sessionId),
        level,
      );
      for (let request = 0; request < workerCount; request++) {
        const info = await whoAmI(alice.client) as { logLevel?: string };
        assertEquals(info.logLevel, level);
      }
    }
  });

  it("C3 DELETE on one worker ends the stream on another, and the session on all", async () => {
    for (let round = 0; round < workerCount; round++) {
      await using alice = await connectRoundRobin(workers);
      const { sessionId, network, errors } = alice;
      const owner = network.streamWorker();
      const other = workers.alive.find(({ name }) => name !== owner)!;
      const headers = {
        accept: "text/event-stream",
        "mcp-session-id": sessionId,
      };
      const deleted = await fetch(other.httpUrl, {
        method: "DELETE",
        headers,
      });
      await deleted.body?.cancel();
      assertEquals(deleted.status, 200);
      assertEquals(deleted.headers.get("x-worker"), other.name);
      await until(
        () => errors.some(({ message }) => /reconnect/.test(message)),
        "the stream to end",
      );
      for (const { httpUrl, name } of workers.alive) {
        const refused = await fetch(httpUrl, { headers });
        await refused.body?.cancel();
        assertEquals(refused.status, 404, `Worker ${name}.`);
      }
    }
  });

  it("P6 a sampling, an elicitation and a roots request are answered through every worker", async () => {
    await using alice = await connectRoundRobin(workers, {
      capabilities: { sampling: {}, elicitation: {}, roots: {} },
    });
    const { client, network } = alice;
    client.setRequestHandler(
      CreateMessageRequestSchema,
      () => ({ model: "m", role: "assistant", content: TEXT }),
    );
    client.setRequestHandler(
      ElicitRequestSchema,
      () => ({ action: "decline" }),
    );
    client.setRequestHandler(
      ListRootsRequestSchema,
      () => ({ roots: [{ uri: "file:///root" }] }),
    );
    const workersOfAnswers = new Set<string | undefined>();
    for (let call = 0; call < workerCount + 1; call++) {
      const { length } = network.exchanges;
      const { content } = await client.callTool({ name: "ask-client" });
      assertEquals(content, [{
        type: "text",
        text: "m decline file:///root",
      }]);
      // The result may arrive before the status of the last answer.
      await until(
        () => network.exchanges.length >= length + 4,
        "the status of each answer",
      );
      const [, ...answers] = network.exchanges.slice(length);
      assertEquals(answers.map(({ status }) => status), [202, 202, 202]);
      for (const { worker } of answers) workersOfAnswers.add(worker);
      // The next call is for another worker.
      await client.ping();
    }
    assertEquals(workersOfAnswers.size, workerCount);
  });

  for (const major of [1, 2]) {
    it(`P3 P4 tool calls of the official client ${major}.x that are cut off lose nothing`, () =>
      assertCallsSurvive({
        url: workers.httpUrl,
        streams: { has: (id) => workers.alive[0]!.call("has", id) },
        major,
        // Each is cut off up to three times. More do it with one server.
        calls: 6,
      }));
  }

  it("C1 no errors were reported", async () => {
    await assertOnEach(workers, (worker) => worker.call("reported"), []);
  });

  function subscribers(uri: string, ids: string[]): Promise<void> {
    return assertOnEach(
      workers,
      (worker) => worker.call("subscribers", uri),
      ids,
    );
  }
}
