import { assertEquals } from "@std/assert";
import { execFile } from "node:child_process";
import process from "node:process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { engines } from "./support/serve.ts";

const ANSWERS = [
  // Two sessions and one too many; one stream, one too many, and a newer one.
  ...[200, 200, 503, 200, 503, 200],
  // Ids that are unknown, and that are none.
  ...[404, 404, 404, 400, 400, 400],
  // A session that is deleted, and all of them once the server shuts down.
  ...[200, 404, 503, 404],
];

it("Guard: nothing that a client sends makes a server print errors", async () => {
  const script = fileURLToPath(
    new URL("./support/refusals.ts", import.meta.url),
  );
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [...switches(), script],
  );
  const lines = stderr.split("\n").filter((line) =>
    // Deno's own advice, given once, for what tmcp's transport does.
    line !== "" && !line.startsWith("Deno.serve: request.signal")
  );
  assertEquals(lines, []);
  assertEquals(JSON.parse(stdout), engines.map(() => ANSWERS));
});

/** How this runtime starts a test's own process. */
function switches(): string[] {
  return "Deno" in globalThis
    ? ["run", "--allow-all", "--quiet"]
    : process.execArgv;
}
