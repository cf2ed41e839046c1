import { build } from "esbuild";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { bundleModules } from "../../scripts/lib/bundle_modules.ts";
import { output, type Program, ROOT } from "../../scripts/lib/command.ts";
import { readDenoConfig } from "../../scripts/lib/npm_only.ts";
import { optionalPeers } from "../../scripts/lib/optional_peers.ts";
import { absolute, type Figure, type Suite } from "./figures.ts";

const compress = promisify(gzip);

/** Imports by name, with the size goal in KB (1,000 bytes). */
const BUNDLES: Record<string, [source: string, goalKb?: number]> = {
  "the main entry point": ['export * from "./mod.ts";', 14],
  "`InMemorySessions` alone": [
    'export { InMemorySessions } from "./mod.ts";',
    11,
  ],
  "the Redis entry point": ['export * from "./src/redis/mod.ts";'],
};

/**
 * The bytes that users download, minified and gzipped; the same on every
 * runtime.
 */
export const sizes: Suite = {
  name: "sizes",
  isShort: true,
  run: async () => {
    const figures: Figure[] = [];
    for (const [what, [contents, goalKb]] of Object.entries(BUNDLES)) {
      const code = await bundled(contents);
      const { length } = await compress(code, { level: 9 });
      figures.push(absolute(
        `${what}, minified and gzipped`,
        "bytes",
        [length],
        goalKb && goalKb * 1_000,
      ));
    }
    return { figures };
  },
};

/**
 * The import time of the main entry point beyond that of an empty module: from
 * npm, where it is a bundle, and from JSR, where every module is a file.
 *
 * @param program The command that runs a script.
 */
export function imports(program: Program): Suite {
  return {
    name: "imports",
    isShort: true,
    run: async (rounds) => {
      const folder = await Deno.makeTempDir({
        prefix: "session-manager-bench-",
      });
      try {
        await writePackages(folder);
        const places = ["npm", "jsr"];
        const took = new Map(places.map((place) => [place, [] as number[]]));
        for (let round = 0; round < rounds; round++) {
          for (const [place, ms] of took) {
            const path = `${folder}/${place}/mod.js`;
            ms.push(await importMs(program, folder, path));
          }
        }
        const id = "import of the main entry point from";
        return {
          figures: [
            absolute(`${id} npm`, "ms", took.get("npm")!, 5),
            absolute(`${id} JSR`, "ms", took.get("jsr")!, 5),
          ],
        };
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  };
}

/** Each import runs in a new process that has imported another module before. */
const PROBE = `
const [empty, target] = process.argv.slice(2);
await import(empty + "?first");
const times = [performance.now()];
for (const path of [empty, target]) {
  await import(path);
  times.push(performance.now());
}
console.log(times[2] - times[1] - (times[1] - times[0]));
`;

async function importMs(
  program: Program,
  folder: string,
  target: string,
): Promise<number> {
  const paths = [`${folder}/probe.mjs`, `${folder}/empty.mjs`, target];
  return Number(await output(program, paths));
}

/** Writes the package as it is on npm and on JSR, without its types. */
async function writePackages(folder: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/probe.mjs`, PROBE);
  await Deno.writeTextFile(`${folder}/empty.mjs`, "");
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["mod.ts", "src/**/*.ts"],
    format: "esm",
    outbase: root,
    outdir: folder,
    write: false,
  });
  const { exports } = await readDenoConfig();
  const manifest = JSON.stringify({
    type: "module",
    exports: Object.values(exports).map((path) => path.replace(/ts$/, "js")),
    peerDependencies: await optionalPeers(),
  });
  for (const place of ["npm", "jsr"]) {
    for (const { path, text } of outputFiles) {
      const to = `${folder}/${place}${path.slice(folder.length)}`;
      await Deno.mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(to, text.replaceAll(/\.ts";$/gm, '.js";'));
    }
    await Deno.writeTextFile(`${folder}/${place}/package.json`, manifest);
  }
  await bundleModules(`${folder}/npm`);
}

const root = decodeURIComponent(ROOT.pathname);

async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    format: "esm",
    minify: true,
    target: "es2022",
    write: false,
  });
  return outputFiles[0]!.text;
}
