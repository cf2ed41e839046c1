/**
 * Starts MCP servers in their own processes, connects clients of both protocol
 * eras, makes the servers send notifications, and counts what arrives: `deno
 * task demo`. Exits with 1 if a single notification is missing, surplus or at
 * the wrong client.
 *
 * ```sh
 * deno task demo                     one server, then one with several workers
 * deno task demo workers             only the latter
 * deno task demo redis               servers that share their sessions through Redis
 * deno task demo sdk                 servers of the official SDK, one of which dies
 * deno task demo web                 a page that shows workers and their clients, live
 * deno task demo web --redis         the same with processes over Redis
 * deno task demo COMMAND…            another server instead of `server.ts`
 * deno task demo workers COMMAND…    another server instead of `workers/main.ts`
 * deno task demo redis COMMAND…      another server instead of `redis/server.ts`
 * ```
 */
import { showOneServer } from "./demo/one_server.ts";
import { RedisProcess } from "./demo/redis_process.ts";
import { showSdkServers } from "./demo/sdk_servers.ts";
import { showRedisServers } from "./demo/redis_servers.ts";
import { Report } from "./demo/report.ts";
import { showSeveralWorkers } from "./demo/several_workers.ts";
import { showWeb } from "./demo/web/web.ts";

const report = new Report();
const [mode] = Deno.args;
if (mode === "web") {
  if (Deno.args.includes("--redis")) await requireRedis();
  await showWeb(Deno.args.slice(1));
  Deno.exit(0);
}
const MODES = ["workers", "redis", "sdk"];
const command = MODES.includes(mode ?? "") ? Deno.args.slice(1) : Deno.args;
if (mode === "workers") {
  await showSeveralWorkers(report, commandOr("workers/main.ts"));
} else if (mode === "redis") {
  await showRedis(showRedisServers, "redis/server.ts");
} else if (mode === "sdk") {
  await showRedis(showSdkServers, "sdk/server.ts");
} else {
  await showOneServer(report, commandOr("server.ts"));
  if (command.length === 0) {
    console.log();
    await showSeveralWorkers(report, commandOr("workers/main.ts"));
  }
}

const { problems } = report;
for (const problem of problems) console.log(`\nFAILED: ${problem}`);
if (problems.length === 0) {
  console.log("\nOK: every client received exactly what it should");
}
Deno.exit(problems.length === 0 ? 0 : 1);

async function showRedis(
  show: typeof showRedisServers,
  server: string,
): Promise<void> {
  const version = await requireRedis();
  await using redis = new RedisProcess();
  report.print("Redis", `${version} at ${redis.url}, in its own process`);
  await show(
    report,
    commandOr(server),
    deno("redis/load_balancer.ts"),
    redis,
  );
}

async function requireRedis(): Promise<string> {
  const version = await RedisProcess.version();
  if (version !== undefined) return version;
  console.log(
    "Skipped: redis-server is not on the PATH. Install it with " +
      '"apt-get install redis-server" or "brew install redis".',
  );
  Deno.exit(0);
}

function commandOr(file: string): readonly string[] {
  return command.length > 0 ? command : deno(file);
}

/** Returns the command that runs a file of this folder. */
function deno(file: string): readonly string[] {
  return [
    Deno.execPath(),
    "run",
    "-A",
    "--unstable-no-legacy-abort",
    `${import.meta.dirname}/${file}`,
  ];
}
