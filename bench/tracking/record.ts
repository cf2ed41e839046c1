/**
 * Measures on Deno, Node and Bun, or on those that are named, and records what was
 * found in bench/history: `deno task bench:record`. `--no-http` leaves out what goes
 * over real connections, which takes a few minutes for each.
 */
import { bundle, chosenRuntimes, findRuntimes } from "../runtimes.ts";
import { httpFigures, measureHttp } from "./http_figures.ts";
import { describeRun, writeEntry } from "./history.ts";
import { measure } from "./measure.ts";
import { printFigures } from "./print.ts";
import { versionOf } from "./version.ts";

const runtimes = await findRuntimes();
const { chosen, flags } = chosenRuntimes(Deno.args, runtimes);
const folder = await Deno.makeTempDir({ prefix: "session-manager-bench-" });
try {
  const program = await bundle("bench/tracking/program.ts", folder);
  for (const name of chosen) {
    const command = runtimes.get(name)!;
    const runtime = await versionOf(name, command);
    console.log(`\n${runtime.name} ${runtime.version}\n`);
    const found = await measure(
      command,
      program,
      { isShort: false },
      ({ figures }) => printFigures(figures),
    );
    const http = flags.includes("--no-http")
      ? []
      : await measureHttp(runtimes, name, folder);
    const ratios = httpFigures(http, runtime.name);
    printFigures(ratios);
    const path = await writeEntry({
      ...await describeRun(),
      runtime,
      figures: [...found.flatMap(({ figures }) => figures), ...ratios],
      points: found.flatMap(({ points }) => points ?? []),
      http,
    });
    console.log(`\nRecorded in ${path}.`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
