import { DENO, npx, output, type Program } from "./command.ts";

/** What a runtime needs to know of one run. */
export interface TestRun {
  files: readonly string[];
  /** Where the JUnit report goes. */
  report: string;
  /** The import map that replaces deno.json's, for Deno. */
  importMap: string | undefined;
}

/** A runtime that can run the tests. */
export interface Runtime {
  /** Name and version. */
  name: string;
  program: Program;
  /** Whether the tests that need the `Deno` global are for it. */
  isDeno: boolean;
  args(run: TestRun): string[];
}

// Enough for a slow machine: a test that hangs has a limit of its own.
const TIMEOUT_MS = "600000";

/** The Deno that runs this script. */
export function deno(): Promise<Runtime> {
  return Promise.resolve({
    name: `Deno ${Deno.version.deno}`,
    program: DENO,
    isDeno: true,
    args: ({ files, report, importMap }) => [
      "test",
      "--allow-all",
      // Types are the business of `deno task check`.
      "--no-check",
      `--junit-path=${report}`,
      ...(importMap ? [`--import-map=${importMap}`] : []),
      ...files,
    ],
  });
}

/** The Node on the PATH, or a release of it from npm. */
export async function node(release?: string): Promise<Runtime> {
  const program: Program = release === undefined
    ? ["node"]
    : npx(`node@${release}`, "node");
  const version = await output(program, ["--version"]);
  if (!version) throw new Error("Node is not on the PATH. Install Node 20+.");
  return {
    name: `Node ${version.replace("v", "")}`,
    program,
    isDeno: false,
    args: ({ files, report }) => [
      "--enable-source-maps",
      // The mocks of node:test and the hooks of node:module may be called
      // experimental, depending on the release.
      "--disable-warning=ExperimentalWarning",
      "--import=./tests/node_loader.mjs",
      "--test",
      // scripts/test.ts runs several processes at once.
      "--test-concurrency=1",
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=junit",
      `--test-reporter-destination=${report}`,
      ...files,
    ],
  };
}

/** The Bun on the PATH, else the one from npm. */
export async function bun(): Promise<Runtime> {
  let program: Program = ["bun"];
  let version = await output(program, ["--version"]);
  if (!version) {
    program = npx("bun@1", "bun");
    version = await output(program, ["--version"]);
  }
  return {
    name: `Bun ${version}`,
    program,
    isDeno: false,
    args: ({ files, report }) => [
      "test",
      "--tsconfig-override=tests/tsconfig.json",
      `--timeout=${TIMEOUT_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      // Without the dot, Bun takes a path for a pattern.
      ...files.map((file) => `./${file}`),
    ],
  };
}
