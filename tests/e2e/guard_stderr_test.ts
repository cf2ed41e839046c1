import { assertEquals } from "@std/assert";
import { execFile } from "node:child_process";
import process from "node:process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DENO_RUN } from "../redis/support/runtimes.ts";
import { engines } from "./support/serve.ts";

const EXPECTED_STATUSES = [
  // Two sessions, and one above the limit. One stream, one above the limit, and
  // one that replaces the first.
  ...[200, 200, 503, 200, 503, 200],
  // Unknown and malformed session IDs.
  ...[404, 404, 404, 400, 400, 400],
  // A deleted session, then requests after the sessions are closed.
  ...[200, 404, 503, 404],
];

it("Guard: client requests never make a server print errors", async () => {
  const script = fileURLToPath(
    new URL("./support/refusals.ts", import.meta.url),
  );
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [...runtimeFlags(), script],
  );
  const lines = stderr.split("\n").filter((line) =>
    // Deno prints this warning once because of what tmcp's transport does.
    line !== "" && !line.startsWith("Deno.serve: request.signal")
  );
  assertEquals(lines, []);
  assertEquals(JSON.parse(stdout), engines.map(() => EXPECTED_STATUSES));
});

/** Returns the flags that run a script on this runtime. */
function runtimeFlags(): string[] {
  return "Deno" in globalThis ? [...DENO_RUN, "--quiet"] : process.execArgv;
}
