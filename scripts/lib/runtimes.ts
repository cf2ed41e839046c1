import { DENO, executable, npx, output, type Program } from "./command.ts";

/** The parameters of one test run. */
export interface TestRun {
  files: readonly string[];
  /** The path of the JUnit report. */
  report: string;
  /** The import map that replaces deno.json's, for Deno. */
  importMap: string | undefined;
}

/** A runtime that can run the tests. */
export interface Runtime {
  /** Name and version. */
  name: string;
  program: Program;
  /** Whether it runs the tests that need the `Deno` global. */
  isDeno: boolean;
  args(run: TestRun): string[];
}

// Enough for a slow machine; tests that may hang have their own time limits.
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
      // `deno task check` checks the types.
      "--no-check",
      // Deno would resolve the versions of all packages again in each process.
      "--node-modules-dir=manual",
      `--junit-path=${report}`,
      ...(importMap ? [`--import-map=${importMap}`] : []),
      ...files,
    ],
  });
}

/** The Node on the PATH, or a release from npm. */
export async function node(release?: string): Promise<Runtime> {
  const path = await executable(
    release === undefined ? ["node"] : npx(`node@${release}`, "node"),
  );
  if (!path) throw new Error("Node is not on the PATH. Install Node 20+.");
  const version = await output([path], ["-p", "process.versions.node"]);
  return {
    name: `Node ${version}`,
    program: [path],
    isDeno: false,
    args: ({ files, report }) => [
      "--enable-source-maps",
      // Depending on the release, the mocks of node:test and the hooks of
      // node:module are experimental.
      "--disable-warning=ExperimentalWarning",
      "--import=./tests/node_loader.mjs",
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=junit",
      `--test-reporter-destination=${report}`,
      "./tests/node_tests.mjs",
      ...files,
    ],
  };
}

/** The Bun on the PATH, or the one from npm. */
export async function bun(): Promise<Runtime> {
  const path = await executable(["bun"]) ??
    await executable(npx("bun@1", "bun"));
  if (!path) throw new Error("Bun is neither on the PATH nor on npm.");
  return {
    name: `Bun ${await output([path], ["--version"])}`,
    program: [path],
    isDeno: false,
    args: ({ files, report }) => [
      "test",
      "--tsconfig-override=tests/tsconfig.json",
      `--timeout=${TIMEOUT_MS}`,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      // Without the dot, Bun would treat a path as a pattern.
      ...files.map((file) => `./${file}`),
    ],
  };
}
