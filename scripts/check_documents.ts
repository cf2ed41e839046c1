/**
 * Checks the documents: links and anchors, tables, and whether published
 * documents link only to published files.
 */
import { filesUnder, ROOT } from "./lib/command.ts";
import { checkDocuments } from "./lib/documents.ts";
import { isPublished } from "./lib/package_contents.ts";

const URL_OF_REPOSITORY = "https://github.com/crossmcp/session-manager";
/** The files that both packages, JSR and npm, contain in addition to docs/. */
const SHIPPED = ["README.md", "CHANGELOG.md", "LICENSE"];

async function textsOf(paths: readonly string[]): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const path of paths) {
    texts.set(path, await Deno.readTextFile(new URL(path, ROOT)));
  }
  return texts;
}

const topLevel: string[] = [];
for await (const { name } of Deno.readDir(ROOT)) {
  if (name.endsWith(".md")) topLevel.push(name);
}
const documents = await textsOf([
  ...topLevel.sort(),
  ...await filesUnder("docs", ".md"),
  ...await filesUnder("bench", ".md"),
  ...await filesUnder("examples", ".md"),
]);
const sources = await textsOf([
  "mod.ts",
  ...await filesUnder("src", ".ts"),
  ...await filesUnder("examples", ".ts"),
]);
const problems = checkDocuments({
  documents,
  sources,
  url: URL_OF_REPOSITORY,
  isShipped: (path) => SHIPPED.includes(path) || isPublished(path),
  exists: (path) => {
    try {
      Deno.statSync(new URL(path, ROOT));
      return true;
    } catch {
      return false;
    }
  },
});
for (const { path, line, message } of problems) {
  console.error(`${path}:${line}: ${message}`);
}
if (problems.length > 0) Deno.exit(1);
console.log(`${documents.size} documents checked.`);
