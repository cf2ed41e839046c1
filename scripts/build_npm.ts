/**
 * Builds the package for npm in the folder "npm": compiles it, runs its tests
 * on Node, bundles it, and checks what `npm publish` would upload. Needs JSR
 * for dnt.
 */
// Not in deno.json, because all other scripts must run without JSR. After an update,
// compare the options in check_npm_types.ts with those of the new release.
// deno-lint-ignore no-import-prefix
import { build, emptyDir } from "jsr:@deno/dnt@^0.43.0";
import { bundleModules } from "./lib/bundle_modules.ts";
import { checkTarball, pack } from "./lib/check_tarball.ts";
import { LIB, NODE_TYPES, TARGET } from "./lib/npm_build.ts";
import { readDenoConfig, writeNpmOnlyMap } from "./lib/npm_only.ts";
import { writeOptionalPeers } from "./lib/optional_peers.ts";
import { documents } from "./lib/package_contents.ts";
import { removeUnusedTypes } from "./lib/unused_types.ts";

const OUT = "npm";
const REPOSITORY = "https://github.com/crossmcp/session-manager";

// Folders whose tests need no server, worker or other process: those would load
// files that are not built.
const TESTED = [
  "cluster",
  "contracts",
  "in_memory",
  "metadata",
  "model",
  "protocol",
  "replay",
  "requests",
  "runtime",
  "streams",
  "testing",
];

// "Could not find a declaration file": npm's copy of @std has none, and only
// the tests use it.
const NO_DECLARATIONS = 7016;

/** Compiles the package and its tests, and runs the tests. */
async function compile(folder: string): Promise<void> {
  const { name, version, license, exports } = await readDenoConfig();
  await emptyDir(OUT);
  await build({
    entryPoints: Object.entries(exports)
      .map(([name, path]) => ({ name, path })),
    outDir: OUT,
    configFile: "deno.json",
    // The tests then use the same copies of @std as on Node.
    importMap: await writeNpmOnlyMap(folder),
    shims: {},
    scriptModule: false,
    polyfills: false,
    // Maps would point to sources that are not published.
    declarationMap: false,
    compilerOptions: { target: TARGET, lib: [...LIB] },
    rootTestDir: "tests",
    testPattern: `{${TESTED.join(",")}}/**/*_test.ts`,
    testIsolation: "process",
    filterDiagnostic: ({ code }) => code !== NO_DECLARATIONS,
    package: {
      name,
      version,
      license,
      description: "Session management for MCP servers over HTTP and SSE.",
      keywords: [
        "mcp",
        "model-context-protocol",
        "session",
        "sse",
        "streaming",
      ],
      homepage: `${REPOSITORY}#readme`,
      repository: { type: "git", url: `git+${REPOSITORY}.git` },
      bugs: `${REPOSITORY}/issues`,
      type: "module",
      sideEffects: false,
      engines: { node: ">=20" },
      publishConfig: { access: "public" },
      devDependencies: { "@types/node": NODE_TYPES },
    },
  });
}

/** Removes everything that users don't need, and adds the documents. */
async function finish(): Promise<void> {
  await writeManifest();
  // Must follow the tests: they import modules that are not entry points.
  await bundleModules(OUT);
  await removeUnusedTypes(OUT);
  for (const file of await documents()) {
    const folder = `${OUT}/${file}`.replace(/\/[^/]+$/, "");
    await Deno.mkdir(folder, { recursive: true });
    await Deno.copyFile(file, `${OUT}/${file}`);
  }
}

/** Writes the types of each entry point, and removes what only the tests need. */
async function writeManifest(): Promise<void> {
  const path = `${OUT}/package.json`;
  const {
    scripts: _scripts,
    devDependencies: _devDependencies,
    _generatedBy,
    module: main,
    exports: modules,
    ...manifest
  } = JSON.parse(await Deno.readTextFile(path));
  const exports: Record<string, { types: string; default: string }> = {};
  for (const entry of Object.keys(modules)) {
    const module: string = modules[entry].import;
    exports[entry] = { types: typesOf(module), default: module };
  }
  await Deno.writeTextFile(
    path,
    JSON.stringify(
      { ...manifest, main, types: typesOf(main), exports },
      null,
      2,
    ),
  );
  await writeOptionalPeers(path);
  // It only repeats that the modules are ESM.
  await Deno.remove(`${OUT}/esm/package.json`);
}

function typesOf(module: string): string {
  return module.replace(/\.js$/, ".d.ts");
}

const folder = await Deno.makeTempDir({ prefix: "session-manager-npm-" });
try {
  await compile(folder);
  await finish();
  await checkTarball(await pack(OUT, folder), folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}
