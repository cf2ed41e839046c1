import { ROOT } from "./command.ts";

/** The part of deno.json that the scripts read. */
export interface DenoConfig {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
}

/** Reads deno.json. */
export async function readDenoConfig(): Promise<DenoConfig> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
}

/** Returns whether JSR responds; some machines reach only npm. */
export async function jsrAnswers(): Promise<boolean> {
  try {
    const response = await fetch("https://jsr.io/@std/assert/meta.json", {
      signal: AbortSignal.timeout(5_000),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Returns an import map that needs only npm: the npm packages of deno.json, and
 * the replacements for JSR packages in tests/tsconfig.json. A map on the
 * command line replaces that of deno.json, so it must be complete.
 */
export function npmOnlyImports(
  imports: DenoConfig["imports"],
  paths: Record<string, string[]>,
  tsconfig: URL,
): Record<string, string> {
  const map: Record<string, string> = {};
  for (const [name, [path = ""]] of Object.entries(paths)) {
    map[name] = new URL(path, tsconfig).href;
  }
  for (const [name, target] of Object.entries(imports)) {
    if (target.startsWith("npm:")) {
      map[name] = target;
      // In deno.json this is implied, but not in a plain import map.
      map[`${name}/`] = target.replace("npm:", "npm:/") + "/";
    } else if (
      !Object.keys(paths).some((path) => `${path}/`.startsWith(`${name}/`))
    ) {
      throw new Error(
        `"${name}" is only on JSR. Add a copy to the paths of tests/tsconfig.json.`,
      );
    }
  }
  return map;
}

/** Writes the import map that needs only npm; returns its path. */
export async function writeNpmOnlyMap(folder: string): Promise<string> {
  const tsconfig = new URL("tests/tsconfig.json", ROOT);
  const { compilerOptions } = JSON.parse(await Deno.readTextFile(tsconfig));
  const { name, exports, imports } = await readDenoConfig();
  const path = `${folder}/npm_only.import_map.json`;
  const map = npmOnlyImports(imports, compilerOptions.paths, tsconfig);
  for (const [entry, target] of Object.entries(exports)) {
    const specifier = name + entry.slice(1);
    if (map[specifier] !== new URL(target, ROOT).href) {
      throw new Error(
        `The paths of tests/tsconfig.json should map "${specifier}" to "${target}", as deno.json does.`,
      );
    }
  }
  await Deno.writeTextFile(path, JSON.stringify({ imports: map }, null, 2));
  return path;
}
