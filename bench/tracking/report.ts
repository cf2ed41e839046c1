/**
 * Turns the latest records into pictures and tables: `deno task bench:report`.
 * It writes bench/report/, the picture of the README in docs/images/, and the
 * tables between the markers in README.md and docs/benchmarks.md.
 */
import { ROOT } from "../../scripts/lib/command.ts";
import { format } from "./format.ts";
import { readHistory } from "./history.ts";
import { curves, httpBars, throughputBars } from "./pictures.ts";
import { MARKED, overview, summary, tables } from "./tables.ts";

const RUNTIMES = ["Deno", "Node", "Bun"];

const history = await readHistory();
const latest = RUNTIMES
  .map((name) => history.findLast(({ runtime }) => runtime.name === name))
  .filter((entry) => entry !== undefined);
if (latest.length === 0) {
  throw new Error(
    "There is no record yet. Run `deno task bench:record` first.",
  );
}

const files: Record<string, string> = {
  "bench/report/time_per_message.svg": curves(latest),
  "bench/report/over_http.svg": httpBars(latest),
  "bench/report/tables.md": tables(latest),
  "docs/images/throughput-light.svg": throughputBars(latest, "light"),
  "docs/images/throughput-dark.svg": throughputBars(latest, "dark"),
};
// A document without markers stays unchanged.
for (
  const [name, text] of [
    ["README.md", overview(latest)],
    ["docs/benchmarks.md", summary(latest)],
  ] as const
) {
  const before = await Deno.readTextFile(new URL(name, ROOT));
  if (MARKED.test(before)) files[name] = before.replace(MARKED, () => text);
}

for (const [name, text] of Object.entries(files)) {
  const url = new URL(name, ROOT);
  await Deno.mkdir(new URL(".", url), { recursive: true });
  await Deno.writeTextFile(url, text);
  console.log(name);
}
await format(Object.keys(files));
