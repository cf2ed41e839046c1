import type { Redis } from "ioredis";
import { existsSync, readdirSync } from "node:fs";

/** Where Deno installs all releases of npm packages. */
const STORE = new URL("../../../node_modules/.deno/", import.meta.url);

/**
 * `Redis` of ioredis 5, or `undefined` if it is not installed. Only Deno can
 * import two releases of a package by their names in deno.json.
 */
export const IoRedis5: typeof Redis | undefined = await load();

async function load(): Promise<typeof Redis | undefined> {
  const folder = existsSync(STORE)
    ? readdirSync(STORE).find((name) => name.startsWith("ioredis@5."))
    : undefined;
  if (folder === undefined) return undefined;
  const entry = `${folder}/node_modules/ioredis/built/index.js`;
  const module = await import(new URL(entry, STORE).href);
  return module.default.Redis ?? module.Redis;
}
