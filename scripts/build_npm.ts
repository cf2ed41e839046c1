/**
 * Builds the package for npm, in the folder "npm", tests what was built on Node, and
 * bundles it. Needs JSR for dnt.
 */
// Not in deno.json: all other scripts have to run where JSR is out of reach.
// deno-lint-ignore no-import-prefix
import { build, emptyDir } from "jsr:@deno/dnt@^0.43.0";
import { bundleModules } from "./lib/bundle_modules.ts";
import { filesUnder } from "./lib/command.ts";
import { readDenoConfig, writeNpmOnlyMap } from "./lib/npm_only.ts";

const OUT = "npm";
const REPOSITORY = "https://github.com/crossmcp/session-manager";

// What the package does by itself. The others need files that are not built, or
// packages whose types want more than the compiler is given here.
const TESTS = "{in_memory,testing}/**/*_test.ts";

// "Could not find a declaration file": npm's copy of @std has none, and only
// the tests use it.
const NO_DECLARATIONS = 7016;

const { name, version, license, exports } = await readDenoConfig();
const folder = await Deno.makeTempDir({ prefix: "session-manager-npm-" });

await emptyDir(OUT);
await build({
  entryPoints: Object.entries(exports).map(([name, path]) => ({ name, path })),
  outDir: OUT,
  configFile: "deno.json",
  // The tests then use the copies of @std that they use on Node every day.
  importMap: await writeNpmOnlyMap(folder),
  shims: {},
  scriptModule: false,
  polyfills: false,
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2023", "ESNext.Disposable", "DOM", "DOM.Iterable"],
  },
  rootTestDir: "tests",
  testPattern: TESTS,
  testIsolation: "process",
  filterDiagnostic: ({ code }) => code !== NO_DECLARATIONS,
  package: {
    name,
    version,
    license,
    description: "Session management for MCP servers over HTTP and SSE.",
    keywords: ["mcp", "model-context-protocol", "session", "sse", "streaming"],
    homepage: `${REPOSITORY}#readme`,
    repository: { type: "git", url: `git+${REPOSITORY}.git` },
    bugs: `${REPOSITORY}/issues`,
    type: "module",
    sideEffects: false,
    engines: { node: ">=20" },
    publishConfig: { access: "public" },
    devDependencies: { "@types/node": "^20.19.0" },
  },
  async postBuild() {
    await Deno.mkdir(`${OUT}/docs`, { recursive: true });
    const documents = [
      "LICENSE",
      "README.md",
      "CHANGELOG.md",
      ...await filesUnder("docs", ".md"),
    ];
    for (const file of documents) {
      await Deno.copyFile(file, `${OUT}/${file}`);
    }
  },
});
// Not before: the tests import modules that are no entry points.
await bundleModules(OUT);
await Deno.remove(folder, { recursive: true });
