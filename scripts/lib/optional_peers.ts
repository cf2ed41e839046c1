import { readDenoConfig } from "./npm_only.ts";

/** Packages that an entry point needs and that its users install. */
const OPTIONAL_PEERS = ["@remix-run/node-fetch-server"];

/** The fields of a package.json that name other packages. */
interface Manifest {
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional: boolean }>;
  [field: string]: unknown;
}

/** Returns the ranges of the optional peers, by name. */
export async function optionalPeers(): Promise<Record<string, string>> {
  const { imports } = await readDenoConfig();
  return Object.fromEntries(OPTIONAL_PEERS.map((name) => {
    const range = imports[name]?.slice(`npm:${name}@`.length);
    if (!range) throw new Error(`deno.json does not import "${name}".`);
    return [name, range];
  }));
}

/**
 * Turns the dependencies that a build found in the sources into optional peers.
 *
 * @param path The path of the package.json.
 */
export async function writeOptionalPeers(path: string): Promise<void> {
  const manifest: Manifest = JSON.parse(await Deno.readTextFile(path));
  const peers = await optionalPeers();
  const others = Object.entries(manifest.dependencies ?? {})
    .filter(([name]) => peers[name] === undefined);
  delete manifest.dependencies;
  if (others.length > 0) manifest.dependencies = Object.fromEntries(others);
  manifest.peerDependencies = peers;
  manifest.peerDependenciesMeta = Object.fromEntries(
    Object.keys(peers).map((name) => [name, { optional: true }]),
  );
  await Deno.writeTextFile(path, JSON.stringify(manifest, null, 2));
}
