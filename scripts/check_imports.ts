/**
 * Checks the layout of `src`: imports lead from higher rooms to lower ones and
 * never in a circle, `mod.ts` does not load cluster code, and files and folders
 * stay small.
 */
import { filesUnder, ROOT } from "./lib/command.ts";
import { findViolations } from "./lib/layers.ts";

const paths = ["mod.ts", ...await filesUnder("src", ".ts")];
const sources = new Map<string, string>();
for (const path of paths) {
  sources.set(path, await Deno.readTextFile(new URL(path, ROOT)));
}

const violations = findViolations(sources);
for (const { path, rule, message } of violations) {
  console.error(`${path}: ${message} (${rule})`);
}
if (violations.length > 0) Deno.exit(1);
console.log(`${paths.length} files checked.`);
