import { filesUnder, ROOT } from "./command.ts";
import { optionalPeers } from "./optional_peers.ts";

// dnt puts the modules into "esm".
const TYPES = /^(?:esm\/)?(?:mod|src\/.+)\.d\.ts$/;
const MODULE =
  /^(?:esm\/)?(?:mod|src\/(?:broadcast_channel|cluster|nats|node|otel|postgres|redis|sdk|testing)\/mod)\.js$/;
const SHARED_MODULE = /^shared\/[\w-]+\.js$/;
const DEPENDENCIES = ["dependencies", "optionalDependencies"];

/**
 * Returns the documents that a package contains, with their pictures. Those of
 * the demo's page are large, and the README links to the repository for them.
 */
export async function documents(): Promise<string[]> {
  return [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    ...(await filesUnder("docs", "")).filter(isPublished),
  ];
}

/** Returns whether the packages contain a file of docs/, as in deno.json. */
export function isPublished(path: string): boolean {
  return path.startsWith("docs/") && !path.endsWith(".webp");
}

/** Fails if an unpacked package contains too much or too little. */
export async function checkContents(folder: string): Promise<void> {
  const files = await filesIn(folder);
  const expected = ["package.json", ...await documents()];
  const strays = files.filter((file) =>
    !expected.includes(file) &&
    !TYPES.test(file) && !MODULE.test(file) && !SHARED_MODULE.test(file)
  );
  // `deno pack` packs a module that no entry point reaches as TypeScript.
  if (strays.length > 0) {
    throw new Error(`The package must not contain ${strays.join(", ")}.`);
  }
  const missing = expected.filter((file) => !files.includes(file));
  if (missing.length > 0) {
    throw new Error(`The package lacks ${missing.join(", ")}.`);
  }
  const manifest = JSON.parse(
    await Deno.readTextFile(`${folder}/package.json`),
  );
  const { version, license } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  if (manifest.version !== version || manifest.license !== license) {
    throw new Error(
      "The package has another version or license than deno.json.",
    );
  }
  const wanted = DEPENDENCIES.filter((field) => manifest[field] !== undefined);
  if (wanted.length > 0) {
    throw new Error(`The package must not need ${wanted.join(" or ")}.`);
  }
  const peers = await optionalPeers();
  for (const name of Object.keys(manifest.peerDependencies ?? {})) {
    if (!peers[name] || !manifest.peerDependenciesMeta?.[name]?.optional) {
      throw new Error(`The package must not need ${name}.`);
    }
  }
  console.log(`Contents: ok (${files.length} files).`);
}

/** Returns the paths of all files in a folder, relative to it. */
export async function filesIn(folder: string, prefix = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = prefix + name;
    if (isDirectory) {
      files.push(...await filesIn(`${folder}/${name}`, `${path}/`));
    } else files.push(path);
  }
  return files;
}
