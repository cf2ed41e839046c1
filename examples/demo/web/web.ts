import { parseArgs } from "node:util";
import { streamsThatFit } from "../connect_clients.ts";
import { RedisProcess } from "../redis_process.ts";
import { Crowd } from "./clients/crowd.ts";
import { Front } from "./front.ts";
import { NodeGroup } from "./nodes/node_group.ts";
import { startProcess } from "./nodes/start_process.ts";
import { startWorker } from "./nodes/start_worker.ts";
import { NumberedMessages } from "./numbered_messages.ts";
import { openBrowser } from "./open_browser.ts";
import { Sampler } from "./sampler.ts";
import { untilStopped } from "./until_stopped.ts";

const WORKERS = ["w1", "w2", "w3", "w4"];
const PROCESSES = ["p1", "p2", "p3"];
/** Both ends of a connection to the front, and of one to a node. */
const FILES_EACH = 4;

/**
 * Starts nodes behind one port, clients, and a page that shows them, until the
 * process is requested to stop.
 *
 * @param args The arguments of the command line: `--redis`, `--port`,
 * `--clients`, `--no-open`.
 */
export async function showWeb(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      redis: { type: "boolean", default: false },
      port: { type: "string", default: "8000" },
      clients: { type: "string", default: "240" },
      "no-open": { type: "boolean", default: false },
    },
  });
  const stopped = untilStopped();
  await using stack = new AsyncDisposableStack();
  const redis = values.redis ? stack.use(new RedisProcess(true)) : undefined;
  await redis?.start();

  const front = stack.use(new Front(Number(values.port)));
  const { url, origins } = front;
  const names = redis === undefined ? WORKERS : PROCESSES;
  const start = redis === undefined ? startWorker : startProcess;
  const group = stack.use(
    new NodeGroup(names, start, {
      cluster: "live",
      token: crypto.randomUUID(),
      origins,
      messagesUrl: new URL("/api/messages", url).href,
      redisUrl: redis?.url,
    }),
  );
  front.group = group;
  await Promise.all(names.map((name) => group.start(name)));

  const messages = stack.use(new NumberedMessages(group));
  const size = await streamsThatFit(Number(values.clients), FILES_EACH);
  const crowd = stack.use(
    new Crowd(new URL("/mcp", url), size, {
      notify: (notification, to) => group.notify(notification, to),
      wasEvicted: (session) => sampler.wasEvicted(session),
    }),
  );
  const sampler: Sampler = stack.use(
    new Sampler(group, () => ({ sent: messages.sent, clients: crowd.counts })),
  );
  front.operated = { group, sampler, messages, crowd };

  const where = redis === undefined ? "workers" : "processes over Redis";
  console.log(
    `${names.length} ${where} and ${size} clients. Open this page:\n`,
  );
  console.log(`${url}\n\nStop with Ctrl+C.`);
  if (!values["no-open"]) openBrowser(url);
  await stopped;
}
