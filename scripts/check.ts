/**
 * Checks everything except the tests: format, lint, types, docs, the examples
 * in the docs, and the packages for JSR and npm. Stops at the first failure.
 */
import { DENO, filesUnder, ROOT, run } from "./lib/command.ts";
import { jsrAnswers, readDenoConfig, writeNpmOnlyMap } from "./lib/npm_only.ts";

// dnt is only on JSR; npm has no copy.
const NEEDS_JSR = "scripts/build_npm.ts";
// Marks an example that defines tests or starts a server. It is type-checked,
// but Deno does not run it, because it does not know the word.
const NOT_RUN = "```ts no-eval";

/** A name, a Deno command, and its arguments. */
type Gate = readonly [name: string, command: string, ...args: string[]];

async function gates(importMap: string | undefined): Promise<Gate[]> {
  const map = importMap ? [`--import-map=${importMap}`] : [];
  const { exports } = await readDenoConfig();
  const sources = ["mod.ts", ...await filesIn(["src"], ".ts")];
  const others = await filesIn(
    ["tests", "bench", "examples", "scripts"],
    ".ts",
  );
  const typed = [...sources, ...others].filter((file) =>
    !importMap || file !== NEEDS_JSR
  );
  const texts = [
    "README.md",
    ...await filesIn(["bench", "docs", "examples"], ".md"),
  ];
  const examples = await runnable(sources);
  return [
    ["Format", "fmt --check"],
    ["Lint", "lint"],
    ["Imports", "run -A scripts/check_imports.ts"],
    ["Documents", "run -A scripts/check_documents.ts"],
    // "--doc" checks the examples in the docs.
    ["Types", "check --quiet --doc", ...map, ...typed],
    ["Types in the documents", "check --quiet --doc-only", ...map, ...texts],
    ["Types in the npm build", "run -A scripts/check_npm_types.ts"],
    ["Docs", "doc --lint", ...Object.values(exports)],
    ["Examples", "test --quiet --doc --no-check -A", ...map, ...examples],
    ["Package for JSR", "publish --dry-run --allow-dirty", ...map],
    ["Package for npm", "run -A scripts/check_package.ts"],
  ];
}

async function filesIn(folders: string[], ending: string): Promise<string[]> {
  const found = folders.map((folder) => filesUnder(folder, ending));
  return (await Promise.all(found)).flat();
}

/** Leaves out the files with examples that must not run. */
async function runnable(files: string[]): Promise<string[]> {
  const texts = await Promise.all(
    files.map((file) => Deno.readTextFile(new URL(file, ROOT))),
  );
  return files.filter((_, index) => !texts[index]?.includes(NOT_RUN));
}

async function main(): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "session-manager-check-" });
  try {
    let importMap: string | undefined;
    if (!await jsrAnswers()) {
      importMap = await writeNpmOnlyMap(folder);
      console.log(
        `jsr.io is unreachable: types are checked with npm's copies of @std, and without ${NEEDS_JSR}.`,
      );
    }
    for (const [name, command, ...args] of await gates(importMap)) {
      console.log(`\n=== ${name}\n`);
      const startedAt = performance.now();
      const code = await run(DENO, [...command.split(" "), ...args]);
      if (code !== 0) {
        console.error(`\n${name}: failed.`);
        return code;
      }
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      console.log(`\n${name}: ok (${seconds} s).`);
    }
    return 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.exit(await main());
