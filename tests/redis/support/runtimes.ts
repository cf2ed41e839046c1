import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { bundled } from "../../support/bundle.ts";

/** A runtime that nodes run on. */
export type RuntimeName = "deno" | "node" | "bun";

/** A program and its first arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** The runtime of the tests. */
export const OWN_RUNTIME: RuntimeName = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

/** The npm packages of runtimes that are not on the PATH. */
const PACKAGES = { deno: "deno@2", node: "node@24", bun: "bun@1" };
/**
 * The arguments of Deno. The packages are installed; without the last option, each
 * process would resolve their versions again.
 */
export const DENO_RUN = [
  "run",
  "-A",
  "--no-check",
  "--node-modules-dir=manual",
] as const;
/** How long npm may take to find one. */
const FIND_MS = 60_000;

const found = new Map<RuntimeName, string | undefined>();

/** The program of a runtime: that of the tests, one on the PATH, or npm's. */
export function programOf(runtime: RuntimeName): string | undefined {
  if (runtime === OWN_RUNTIME) return process.execPath;
  if (!found.has(runtime)) found.set(runtime, find(runtime));
  return found.get(runtime);
}

/** Returns the command that runs a script on a runtime. */
export function commandFor(runtime: RuntimeName, script: URL): Command {
  const program = programOf(runtime);
  if (program === undefined) throw new Error(`There is no ${runtime} here.`);
  const first = runtime === "deno" ? DENO_RUN : [];
  return [program, ...first, fileURLToPath(bundled(script))];
}

function find(runtime: RuntimeName): string | undefined {
  // The path itself: otherwise npx would stand between the tests and the
  // process that they kill.
  const script = "console.log(process.execPath)";
  const args = runtime === "deno" ? ["eval", script] : ["-e", script];
  const direct = run(runtime, args);
  return direct ??
    run("npx", ["-y", "-p", PACKAGES[runtime], runtime, ...args]);
}

function run(program: string, args: string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, {
    encoding: "utf8",
    timeout: FIND_MS,
  });
  return status === 0 ? stdout.trim().split("\n").at(-1) : undefined;
}
