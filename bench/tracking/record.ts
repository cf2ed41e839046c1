/**
 * Measures on Deno, Node and Bun, or on the runtimes named, and writes the
 * results to bench/history: `deno task bench:record`. `--no-http` leaves out
 * the real connections, which take a few minutes for each runtime.
 */
import { bundle, findRuntimes, selectRuntimes } from "../runtimes.ts";
import { httpFigures, measureHttp } from "./http_figures.ts";
import { describeRun, writeEntry } from "./history.ts";
import { measure } from "./measure.ts";
import { printFigures } from "./print.ts";
import { versionOf } from "./version.ts";

const runtimes = await findRuntimes();
const { names, flags } = selectRuntimes(Deno.args, runtimes);
const folder = await Deno.makeTempDir({ prefix: "session-manager-bench-" });
try {
  const program = await bundle("bench/tracking/program.ts", folder);
  for (const name of names) {
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
