/**
 * Packs the package for npm and uses it as its users do. `deno pack` builds it,
 * which needs no network. scripts/build_npm.ts builds the published package
 * from the same sources, and checks it in the same way.
 */
import { bundleModules } from "./lib/bundle_modules.ts";
import { checkTarball, pack } from "./lib/check_tarball.ts";
import { DENO, output } from "./lib/command.ts";
import { writeOptionalPeers } from "./lib/optional_peers.ts";
import { removeUnusedTypes } from "./lib/unused_types.ts";

async function build(folder: string): Promise<string> {
  const built = "built.tgz";
  await output(DENO, [
    "pack",
    "--allow-dirty",
    "--no-source-maps",
    `--output=${folder}/${built}`,
  ]);
  await output(["tar"], ["-xzf", built], { cwd: folder });
  await writeOptionalPeers(`${folder}/package/package.json`);
  await bundleModules(`${folder}/package`);
  await removeUnusedTypes(`${folder}/package`);
  return `${folder}/package`;
}

const folder = await Deno.makeTempDir({ prefix: "session-manager-package-" });
try {
  await checkTarball(await pack(await build(folder), folder), folder);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  Deno.exitCode = 1;
} finally {
  await Deno.remove(folder, { recursive: true });
}
