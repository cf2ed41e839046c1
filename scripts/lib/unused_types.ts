import { filesIn } from "./package_contents.ts";

const IMPORTED = /\b(?:from |import\()"(\.[^"]+)\.js"/g;
const SIDE_EFFECT_IMPORT = /^import "[^"]+";\n/gm;

/**
 * Removes the declaration files of a built package that no entry point needs,
 * and all source maps.
 *
 * @param folder The folder of its package.json.
 */
export async function removeUnusedTypes(folder: string): Promise<void> {
  const { exports } = JSON.parse(
    await Deno.readTextFile(`${folder}/package.json`),
  );
  const pending = Object.values<{ types: string }>(exports)
    .map(({ types }) => types.replace("./", ""));
  const needed = new Set<string>();
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (needed.has(path)) continue;
    needed.add(path);
    const declared = await Deno.readTextFile(`${folder}/${path}`);
    // In a declaration file, it could only add globals to the user's program.
    const text = declared.replace(SIDE_EFFECT_IMPORT, "");
    await Deno.writeTextFile(`${folder}/${path}`, text);
    for (const [, target] of text.matchAll(IMPORTED)) {
      pending.push(resolve(path, `${target}.d.ts`));
    }
  }
  for (const path of await filesIn(folder)) {
    if (path.startsWith("node_modules/") || needed.has(path)) continue;
    if (/\.(?:d\.ts|map)$/.test(path)) await Deno.remove(`${folder}/${path}`);
  }
}

function resolve(from: string, file: string): string {
  return new URL(file, `file:///${from}`).pathname.slice(1);
}
