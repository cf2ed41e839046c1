// Deno finds no types under the paths with an extension.
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { RedisProcess } from "./redis_process.ts";
import { count, type Report } from "./report.ts";
import { startServers } from "./server_group.ts";

const NAMES = ["a", "b", "c"];
/** How many notes the client adds while servers die. */
const NOTES = 30;
const APART_MS = 50;
/** How long to wait for something, in milliseconds. */
const PATIENCE_MS = 20_000;

/**
 * Connects an official client to servers of the official SDK that share their
 * sessions through Redis, kills the server that has its session while it works,
 * and checks that it notices nothing.
 *
 * @param report Receives the results.
 * @param command The command that starts a server.
 * @param loadBalancer The command that starts the load balancer; the ports are added.
 * @param redis The Redis server.
 */
export async function showSdkServers(
  report: Report,
  command: readonly string[],
  loadBalancer: readonly string[],
  redis: RedisProcess,
): Promise<void> {
  await redis.start();
  await using stack = new AsyncDisposableStack();
  const { servers, start, url } = await startServers(
    stack,
    NAMES,
    command,
    loadBalancer,
    redis,
  );
  report.print(
    "servers",
    `${url}, ${servers.size} processes of the official SDK behind a load balancer`,
  );

  const client = new Client({ name: "demo", version: "1.0.0" });
  let notifications = 0;
  client.fallbackNotificationHandler = () => {
    notifications++;
    return Promise.resolve();
  };
  const transport = new StreamableHTTPClientTransport(url, {
    reconnectionOptions: {
      initialReconnectionDelay: 100,
      maxReconnectionDelay: 100,
      reconnectionDelayGrowFactor: 1,
      maxRetries: 100,
    },
  });
  // The types of the SDK do not support exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  stack.defer(() => client.close());
  const call = async (name: string, args: Record<string, unknown> = {}) => {
    const params = { name, arguments: args };
    const { content } = await client.callTool(params);
    return (content as { text: string }[])[0]?.text ?? "";
  };

  const first = await call("whoami");
  const host = first.at(-2)!;
  report.print("client", `"${first}"`);
  const victim = servers.get(host)!;
  let died = 0;
  let backAfter = 0;
  let failed = 0;
  let notes = "";
  const started = performance.now();
  for (let at = 1; at <= NOTES; at++) {
    if (at === NOTES / 3) {
      await victim.kill();
      died = performance.now();
    }
    notes = await call("add_note", { note: `${at}` }).catch(() => {
      failed++;
      return notes;
    });
    if (died > 0 && backAfter === 0) backAfter = performance.now() - died;
    await new Promise((resolve) => setTimeout(resolve, APART_MS));
  }
  const took = performance.now() - started;
  const now = await call("whoami");
  report.print("", `server ${host} killed while the client adds notes`);
  report.print(
    "notes",
    `${notes.split(", ").length} of ${NOTES} in ${count(took)} ms, ` +
      `${failed} calls failed, the first after the kill took ${
        count(backAfter)
      } ms`,
  );
  report.print("client", `"${now}"`);
  const expected = Array.from({ length: NOTES }, (_, at) => `${at + 1}`);
  report.expect(notes === expected.join(", "), `the notes are ${notes}`);
  report.expect(now.startsWith("You are demo."), `the server says "${now}"`);
  report.expect(now.at(-2) !== host, `server ${host} still has the session`);

  // The new server reaches the client's stream, wherever it is.
  await call("notify");
  const late = performance.now() + PATIENCE_MS;
  while (notifications === 0 && performance.now() < late) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  report.print(
    "notification",
    notifications === 1 ? "arrived once" : `arrived ${notifications} times`,
  );
  report.expect(notifications === 1, `${notifications} notifications arrived`);

  await start(host, victim.url.port);
  const running = servers.get(now.at(-2)!)!;
  const code = await running.stop();
  report.expect(code === 0, `a server ended with exit code ${code}`);
  // A connection to it may be used again before its end has arrived here.
  const next = await call("whoami").catch(() => call("whoami"));
  report.print("", `server ${now.at(-2)} stopped: "${next}"`);
  const last = await call("add_note", { note: "last" });
  report.expect(last.endsWith(", last"), `the notes are ${last}`);
}
