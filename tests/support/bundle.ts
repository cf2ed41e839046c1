import { buildSync } from "esbuild";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOLDER = `${ROOT}node_modules/.cache/test_bundles/`;
/** What a bundle is made of, besides packages of the releases in deno.json. */
const SOURCES = ["deno.json", "mod.ts", "src", "examples", "tests"];
/** The oldest supported release; the others run the same. */
const TARGET = "node20";
/** CommonJS packages need it. */
const REQUIRE =
  'import { createRequire as _create } from "node:module"; const require = _create(import.meta.url);';

const bundles = new Map<string, URL>();

/**
 * Returns a script of the tests as one file with everything that it imports. A
 * process or thread loads it several times faster than hundreds of modules.
 * `import.meta.url` is that of the script in all of them.
 */
export function bundled(script: URL): URL {
  const entry = fileURLToPath(script);
  const known = bundles.get(entry);
  if (known !== undefined) return known;
  const name = entry.slice(ROOT.length).replaceAll(/[/\\]/g, "-");
  const path = `${FOLDER}${name}.mjs`;
  const header = `// ${version()}\n`;
  if (!startsWith(path, header)) {
    const { outputFiles: [file] } = buildSync({
      entryPoints: [entry],
      tsconfig: `${ROOT}tests/tsconfig.json`,
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      target: TARGET,
      keepNames: true,
      define: { "import.meta.url": JSON.stringify(script.href) },
      logLevel: "error",
    });
    mkdirSync(FOLDER, { recursive: true });
    const written = `${path}.${process.pid}`;
    writeFileSync(written, `${header}${REQUIRE}\n${file!.text}`);
    renameSync(written, path);
  }
  const bundle = pathToFileURL(path);
  bundles.set(entry, bundle);
  return bundle;
}

/** Starts a thread that runs a script of the tests. */
export function startThread(script: URL, workerData?: unknown): Worker {
  // Without the arguments of Node, which load the tests without a build.
  return new Worker(bundled(script), { workerData, execArgv: [] });
}

/** Changes with any source. */
function version(): string {
  const hash = createHash("sha256");
  const add = (path: string) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  };
  for (const source of SOURCES) {
    const path = `${ROOT}${source}`;
    if (!statSync(path).isDirectory()) add(path);
    else {
      for (const name of readdirSync(path, { recursive: true })) {
        if (`${name}`.endsWith(".ts")) add(`${path}/${name}`);
      }
    }
  }
  return hash.digest("hex");
}

function startsWith(path: string, header: string): boolean {
  try {
    return readFileSync(path, "utf8").startsWith(header);
  } catch {
    return false; // It does not exist yet.
  }
}
