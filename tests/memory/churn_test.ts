import { assert } from "@std/assert";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

describe("InMemorySessions", () => {
  it("I10 100,000 sessions leave nothing behind when they go", async () => {
    const script = fileURLToPath(new URL("./churn.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...switches(), script],
    );
    const { bytesPerSession } = JSON.parse(stdout);
    assert(
      bytesPerSession < 4,
      `Every session that came and went left ${bytesPerSession} bytes behind.`,
    );
  });
});

/** How this runtime starts a test's own process that can collect garbage. */
function switches(): string[] {
  if ("Bun" in globalThis) return process.execArgv;
  if ("Deno" in globalThis) return ["run", "-A", "--v8-flags=--expose-gc"];
  return ["--expose-gc", ...process.execArgv];
}
