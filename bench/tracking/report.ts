/**
 * Turns the latest records into pictures and tables: `deno task bench:report`. The
 * pictures are bench/report/*.svg, the tables bench/report/tables.md; a summary goes
 * between the markers in the README.
 */
import { ROOT } from "../../scripts/lib/command.ts";
import { format } from "./format.ts";
import { readHistory } from "./history.ts";
import { curves, httpBars } from "./pictures.ts";
import { SUMMARY, summary, tables } from "./tables.ts";

const FOLDER = new URL("bench/report/", ROOT);

const RUNTIMES = ["Deno", "Node", "Bun"];

const history = await readHistory();
const latest = RUNTIMES
  .map((name) => history.findLast(({ runtime }) => runtime.name === name))
  .filter((entry) => entry !== undefined);
if (latest.length === 0) {
  throw new Error("Nothing is recorded. `deno task bench:record` does it.");
}

await Deno.mkdir(FOLDER, { recursive: true });
const files: Record<string, string> = {
  "time_per_message.svg": curves(latest),
  "over_http.svg": httpBars(latest),
  "tables.md": tables(latest),
};
for (const [name, text] of Object.entries(files)) {
  await Deno.writeTextFile(new URL(name, FOLDER), text);
  console.log(`bench/report/${name}`);
}
await format(Object.keys(files).map((name) => `bench/report/${name}`));
// A README without the markers stays as it is.
const readme = new URL("README.md", ROOT);
const before = await Deno.readTextFile(readme);
if (SUMMARY.test(before)) {
  const after = before.replace(SUMMARY, () => summary(latest));
  await Deno.writeTextFile(readme, after);
  await format(["README.md"]);
  console.log("README.md, between the markers");
}
