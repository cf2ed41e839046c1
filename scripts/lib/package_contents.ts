import { filesUnder, ROOT } from "./command.ts";

const DOCUMENTS = ["CHANGELOG.md", "LICENSE", "README.md"];
const TYPES = /^(?:mod|src\/.+)\.d\.ts$/;
const MODULE =
  /^(?:mod|src\/(?:broadcast_channel|cluster|redis|testing)\/mod|shared\/[\w-]+)\.js$/;
const DEPENDENCIES = [
  "dependencies",
  "optionalDependencies",
  "peerDependencies",
];

/** Fails if an unpacked package has more, or less, than it should. */
export async function checkContents(folder: string): Promise<void> {
  const files = await filesIn(folder);
  const documents = [...DOCUMENTS, ...await filesUnder("docs", ".md")];
  const strays = files.filter((file) =>
    file !== "package.json" && !documents.includes(file) &&
    !TYPES.test(file) && !MODULE.test(file)
  );
  // A module that no entry point reaches is packed as it is, in TypeScript.
  if (strays.length > 0) {
    throw new Error(`The package should not have ${strays.join(", ")}.`);
  }
  const missing = documents.filter((file) => !files.includes(file));
  if (missing.length > 0) {
    throw new Error(`The package has no ${missing.join(", ")}.`);
  }
  const manifest = JSON.parse(
    await Deno.readTextFile(`${folder}/package.json`),
  );
  const { version, license } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  if (manifest.version !== version || manifest.license !== license) {
    throw new Error("The package has another version or license.");
  }
  const wanted = DEPENDENCIES.filter((field) => manifest[field] !== undefined);
  if (wanted.length > 0) {
    throw new Error(`The package should have no ${wanted.join(" or ")}.`);
  }
  console.log(`Contents: ok (${files.length} files).`);
}

/** The paths of all files in a folder, beginning there. */
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
