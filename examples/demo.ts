/**
 * Starts MCP servers in processes of their own, connects clients of both eras to
 * them, has them send notifications, and counts what arrives: `deno task demo`. The
 * exit code is 1 when a single one is missing, surplus or at the wrong client.
 *
 * ```sh
 * deno task demo                     one server, then one with several workers
 * deno task demo workers             the latter
 * deno task demo COMMAND…            another server than `server.ts`
 * deno task demo workers COMMAND…    another server than `workers/main.ts`
 * ```
 */
import { showOneServer } from "./demo/one_server.ts";
import { Report } from "./demo/report.ts";
import { showSeveralWorkers } from "./demo/several_workers.ts";

const report = new Report();
const areWorkers = Deno.args[0] === "workers";
const command = areWorkers ? Deno.args.slice(1) : Deno.args;
if (areWorkers) {
  await showSeveralWorkers(report, commandOr("workers/main.ts"));
} else {
  await showOneServer(report, commandOr("server.ts"));
  if (command.length === 0) {
    console.log();
    await showSeveralWorkers(report, commandOr("workers/main.ts"));
  }
}

const { problems } = report;
for (const problem of problems) console.log(`\nFAILED: ${problem}`);
if (problems.length === 0) console.log("\nOK: every client got what it should");
Deno.exit(problems.length === 0 ? 0 : 1);

function commandOr(file: string): readonly string[] {
  return command.length > 0 ? command : [
    Deno.execPath(),
    "run",
    "-A",
    "--unstable-no-legacy-abort",
    `${import.meta.dirname}/${file}`,
  ];
}
