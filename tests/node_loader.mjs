/**
 * Lets Node run the tests without a build, from version 20: `node --import
 * ./tests/node_loader.mjs tests/…_test.ts`.
 *
 * Names resolve through the `paths` of tests/tsconfig.json, and esbuild strips
 * the types. Every TypeScript file is an ES module, as in the published
 * package; general loaders assume CommonJS, because there is no package.json.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import * as module from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { threadId } from "node:worker_threads";

const cache = new URL("../node_modules/.cache/node_loader/", import.meta.url);
const tsconfig = new URL("./tsconfig.json", import.meta.url);
const { paths } = JSON.parse(readFileSync(tsconfig, "utf8")).compilerOptions;
const files = new Map(
  Object.entries(paths).map((
    [name, [path]],
  ) => [name, new URL(path, tsconfig).href]),
);

export function resolve(specifier, context, nextResolve) {
  return nextResolve(files.get(specifier) ?? specifier, context);
}

export function load(url, context, nextLoad) {
  if (!/^file:.*\.ts$/.test(url) || url.includes("/node_modules/")) {
    return nextLoad(url, context);
  }
  return { format: "module", source: javaScript(url), shortCircuit: true };
}

/**
 * Returns a file without its types. The result is cached, because most
 * processes and workers load the same files.
 */
function javaScript(url) {
  const path = fileURLToPath(url);
  const source = readFileSync(path, "utf8");
  const key = createHash("sha256").update(process.version).update(path)
    .update("\0").update(source).digest("hex");
  const kept = new URL(`${key}.mjs`, cache);
  try {
    return readFileSync(kept, "utf8");
  } catch {
    // It is not cached yet.
  }
  // Loaded only where it is needed: every process has these hooks.
  const { transformSync } = module.createRequire(import.meta.url)("esbuild");
  const { code } = transformSync(source, {
    loader: "ts",
    format: "esm",
    // Compiles `using` for releases without it.
    target: `node${process.versions.node}`,
    sourcemap: "inline",
    sourcefile: path,
  });
  mkdirSync(cache, { recursive: true });
  const written = new URL(`${key}.${process.pid}-${threadId}`, cache);
  writeFileSync(written, code);
  renameSync(written, kept);
  return code;
}

// Node 20 runs the hooks on a separate thread, which imports this module too.
// Every worker of the tests has its own hooks.
if (module.registerHooks) module.registerHooks({ resolve, load });
else if (!import.meta.url.endsWith("?hooks")) {
  module.register(`${import.meta.url}?hooks`);
}
