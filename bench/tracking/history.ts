import { arch, cpus, release, totalmem, type } from "node:os";
import { output, ROOT } from "../../scripts/lib/command.ts";
import { readDenoConfig } from "../../scripts/lib/npm_only.ts";
import type { HttpResult } from "../http/results.ts";
import { format } from "./format.ts";
import type { Machine } from "./baseline.ts";
import type { Figure, Point } from "./figures.ts";

/** Everything measured on one runtime. */
export interface Entry {
  /** The date and time, in UTC. */
  readonly date: string;
  readonly version: string;
  readonly commit: string;
  /** Whether the sources differed from the commit's. */
  readonly isChanged: boolean;
  readonly runtime: { readonly name: string; readonly version: string };
  readonly machine: Machine;
  readonly figures: readonly Figure[];
  readonly points: readonly Point[];
  readonly http: readonly HttpResult[];
}

const FOLDER = new URL("bench/history/", ROOT);

/** Reads all records, oldest first. */
export async function readHistory(): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (!name.endsWith(".json")) continue;
    entries.push(JSON.parse(await Deno.readTextFile(new URL(name, FOLDER))));
  }
  return entries.sort((a, b) => a.date < b.date ? -1 : 1);
}

/** Writes a record; returns its file name. */
export async function writeEntry(entry: Entry): Promise<string> {
  const { date, commit, runtime } = entry;
  const name = [date.slice(0, 10), commit, runtime.name.toLowerCase()]
    .join("-");
  const path = `bench/history/${name}.json`;
  await Deno.writeTextFile(
    new URL(path, ROOT),
    `${JSON.stringify(entry, null, 2)}\n`,
  );
  await format([path]);
  return path;
}

/** Returns the version, commit and machine of a measurement. */
export async function describeRun(): Promise<
  Pick<Entry, "date" | "version" | "commit" | "isChanged" | "machine">
> {
  const git = (...args: string[]) => output(["git"], args);
  const changed = await git("status", "--porcelain", "--", "mod.ts", "src");
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    version: (await readDenoConfig()).version,
    commit: await git("rev-parse", "--short=8", "HEAD") ?? "unknown",
    isChanged: changed !== "",
    machine: {
      cpu: processors[0]?.model ?? "unknown",
      cores: processors.length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      os: `${type()} ${release()} ${arch()}`,
    },
  };
}
