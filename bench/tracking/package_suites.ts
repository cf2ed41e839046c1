import { build } from "esbuild";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { output, type Program, ROOT } from "../../scripts/lib/command.ts";
import { absolute, type Figure, type Suite } from "./figures.ts";

const compress = promisify(gzip);

/** What a program imports, and how many KB of it there may be. */
const BUNDLES: Record<string, [source: string, goalKb?: number]> = {
  "all of the core": ['export * from "./mod.ts";', 16],
  "the in-memory part": ['export { InMemorySessions } from "./mod.ts";', 6],
  "the Redis part, core included": ['export * from "./src/redis/mod.ts";'],
};

/** How many bytes users get, minified and compressed; it is the same everywhere. */
export const sizes: Suite = {
  name: "sizes",
  isShort: true,
  run: async () => {
    const figures: Figure[] = [];
    for (const [what, [contents, goalKb]] of Object.entries(BUNDLES)) {
      const code = await bundled(contents, true);
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
 * How long the import of the core takes beyond that of an empty module, as one file
 * and as the many that the packages have.
 *
 * @param program What runs a script.
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
        const [one, many] = await writeModules(folder);
        const values: [one: number[], many: number[]] = [[], []];
        for (let round = 0; round < rounds; round++) {
          values[0].push(await importMs(program, folder, one));
          values[1].push(await importMs(program, folder, many));
        }
        return {
          figures: [
            absolute("import of the core, bundled", "ms", values[0], 5),
            absolute("import of the core, as published", "ms", values[1], 5),
          ],
        };
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  };
}

/** Every time in a new process, which has imported something before. */
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

/** Writes the core as one module and as many; returns their entry points. */
async function writeModules(folder: string): Promise<[string, string]> {
  await Deno.writeTextFile(`${folder}/probe.mjs`, PROBE);
  await Deno.writeTextFile(`${folder}/empty.mjs`, "");
  const one = `${folder}/core.mjs`;
  await Deno.writeTextFile(one, await bundled('export * from "./mod.ts";'));
  // As dnt does it: a file for each module, without its types.
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["mod.ts", "src/**/*.ts"],
    format: "esm",
    outbase: root,
    outdir: `${folder}/package`,
    write: false,
  });
  for (const { path, text } of outputFiles) {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text.replaceAll(/\.ts";$/gm, '.js";'));
  }
  await Deno.writeTextFile(
    `${folder}/package/package.json`,
    '{ "type": "module" }',
  );
  return [one, `${folder}/package/mod.js`];
}

const root = decodeURIComponent(ROOT.pathname);

async function bundled(contents: string, minify = false): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    format: "esm",
    minify,
    target: "es2022",
    write: false,
  });
  return outputFiles[0]!.text;
}
