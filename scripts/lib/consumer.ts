import { NPM, output, ROOT } from "./command.ts";
import { optionalPeers } from "./optional_peers.ts";

// The oldest supported release: users may have no newer types.
const NODE_TYPES = "@types/node@20";

const COMPILER_OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  // Our declarations must pass the compiler of every user.
  skipLibCheck: false,
  noEmit: true,
  target: "es2022",
};

const RESOLUTIONS = {
  nodenext: { module: "nodenext", moduleResolution: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};

const PLATFORMS = {
  node: { lib: ["es2023", "esnext.disposable"], types: ["node"] },
  web: {
    lib: ["es2023", "esnext.disposable", "dom", "dom.iterable"],
    types: [],
  },
};

/** Returns the names of the compiler configurations that `writeConsumer` writes. */
export function tsconfigs(): string[] {
  return Object.keys(configs());
}

/** Writes a project that imports every entry point and uses the package. */
export async function writeConsumer(
  folder: string,
  name: string,
  entryPoints: string[],
): Promise<void> {
  await Deno.mkdir(folder);
  const specifiers = entryPoints.map((entry) => name + entry.slice(1));
  const files: Record<string, unknown> = {
    "package.json": { private: true, type: "module" },
    "main.js": await program(specifiers),
    "main.ts": typedProgram(specifiers),
    ...configs(),
  };
  for (const [file, content] of Object.entries(files)) {
    await Deno.writeTextFile(
      `${folder}/${file}`,
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
}

/** Installs the package and its optional peers into the project, with npm. */
export async function installConsumer(
  folder: string,
  tarball: string,
): Promise<void> {
  const peers = Object.entries(await optionalPeers())
    .map(([name, range]) => `${name}@${range}`);
  const args = [
    "install",
    "--no-audit",
    "--no-fund",
    tarball,
    NODE_TYPES,
    ...peers,
  ];
  await output([NPM], args, { cwd: folder });
}

function configs(): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [resolution, how] of Object.entries(RESOLUTIONS)) {
    for (const [platform, where] of Object.entries(PLATFORMS)) {
      all[`tsconfig.${resolution}.${platform}.json`] = {
        compilerOptions: { ...COMPILER_OPTIONS, ...how, ...where },
        files: ["main.ts"],
      };
    }
  }
  return all;
}

/**
 * Returns a program that compares the exports of a runtime with those of the
 * sources.
 */
async function program(specifiers: string[]): Promise<string> {
  const { exports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  const expected: Record<string, string[]> = {};
  for (const [index, path] of Object.values<string>(exports).entries()) {
    const specifier = specifiers[index];
    if (!specifier) continue;
    expected[specifier] = Object.keys(await import(new URL(path, ROOT).href));
  }
  return `import assert from "node:assert/strict";
for (const [specifier, names] of Object.entries(${JSON.stringify(expected)})) {
  assert.deepEqual(Object.keys(await import(specifier)).sort(), names.sort());
}
import { InMemorySessions } from "${specifiers[0]}";
const sessions = new InMemorySessions();
assert.equal(await sessions.streams.has("nobody"), false);
await sessions.close();
`;
}

function typedProgram(specifiers: string[]): string {
  const imports = specifiers.map((specifier, index) =>
    `export * as module${index} from "${specifier}";`
  );
  return `${imports.join("\n")}
import { InMemorySessions, type Sessions } from "${specifiers[0]}";
const sessions: Sessions = new InMemorySessions();
await sessions.close();
`;
}
