import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DENO_RUN } from "../redis/support/runtimes.ts";

/** A program and its first arguments. */
export type Command = readonly [program: string, ...args: string[]];

/**
 * Returns the command that runs a script on this runtime in its own process.
 *
 * @param script The script. It cannot use the tests' import map.
 * @param canCollect Whether it can collect garbage with the functions of
 * heap.ts.
 */
function ownProcess(script: URL, canCollect: boolean = false): Command {
  const path = fileURLToPath(script);
  const program = process.execPath;
  if ("Bun" in globalThis) return [program, ...process.execArgv, path];
  if ("Deno" in globalThis) {
    const flags = canCollect ? ["--v8-flags=--expose-gc"] : [];
    return [program, ...DENO_RUN, ...flags, path];
  }
  const flags = canCollect ? ["--expose-gc"] : [];
  return [program, ...flags, ...process.execArgv, path];
}

/**
 * Runs a script with garbage collection on demand; resolves with the JSON that
 * it prints.
 *
 * @param name The file in this folder.
 * @param args Its arguments.
 */
export async function measure<Result>(
  name: string,
  ...args: readonly string[]
): Promise<Result> {
  const script = new URL(name, import.meta.url);
  const [program, ...first] = ownProcess(script, true);
  const { stdout } = await promisify(execFile)(program, [...first, ...args]);
  return JSON.parse(stdout);
}
