import { DENO, run } from "../../scripts/lib/command.ts";

/** Formats files with `deno fmt`. */
export async function format(paths: readonly string[]): Promise<void> {
  const code = await run(DENO, ["fmt", "--quiet", ...paths]);
  if (code !== 0) {
    throw new Error(`${paths.join(", ")}: could not be formatted.`);
  }
}
