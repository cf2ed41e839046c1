/**
 * Type-checks the package and its tests as the npm build does: with the
 * TypeScript release that dnt contains and the options that it sets. Those are
 * less strict than the options in deno.json, but they reject some code that
 * Deno accepts. dnt comes from JSR and runs only for a release, so without this
 * check, such code would break the next release.
 */
import { fileURLToPath } from "node:url";
import { NPM, output, ROOT, run } from "./lib/command.ts";
import { LIB, NODE_TYPES, TARGET } from "./lib/npm_build.ts";

// Those of dnt 0.43. Update both with dnt: the options are in its mod.ts, below
// `createProjectSync`.
const TYPESCRIPT = "~6.0.2";
const DNT_OPTIONS = {
  allowJs: true,
  allowSyntheticDefaultImports: true,
  alwaysStrict: true,
  declaration: true,
  esModuleInterop: false,
  experimentalDecorators: false,
  ignoreDeprecations: "6.0",
  isolatedModules: true,
  module: "ESNext",
  moduleResolution: "Bundler",
  noImplicitAny: true,
  noImplicitReturns: false,
  noImplicitThis: true,
  noUncheckedIndexedAccess: false,
  skipLibCheck: true,
  strictBindCallApply: true,
  strictFunctionTypes: true,
  strictNullChecks: true,
  strictPropertyInitialization: true,
  types: ["node"],
  useDefineForClassFields: true,
  useUnknownInCatchVariables: false,
};

/** Tests that use the `Deno` global, which the npm build has no types for. */
const DENO_ONLY = ["tests/conformance", "tests/deno", "tests/scripts"];
/** npm's copy of @std has no types; the npm build ignores that too. */
const UNTYPED = `declare module "deno-std/*";\n`;

async function check(folder: string): Promise<number> {
  const tsconfig = {
    extends: path("tests/tsconfig.json"),
    compilerOptions: {
      ...DNT_OPTIONS,
      target: TARGET,
      lib: LIB,
      noEmit: true,
      // dnt rewrites ".ts" to ".js" in imports.
      allowImportingTsExtensions: true,
    },
    include: [
      "untyped.d.ts",
      ...["mod.ts", "src/**/*.ts", "tests/**/*.ts"].map(path),
    ],
    exclude: DENO_ONLY.map(path),
  };
  await Deno.writeTextFile(`${folder}/tsconfig.json`, JSON.stringify(tsconfig));
  await Deno.writeTextFile(`${folder}/untyped.d.ts`, UNTYPED);
  await output([NPM], [
    "install",
    "--no-audit",
    "--no-fund",
    `typescript@${TYPESCRIPT}`,
    `@types/node@${NODE_TYPES}`,
  ], { cwd: folder });
  const tsc = `${folder}/node_modules/typescript/bin/tsc`;
  return run(["node"], [tsc, "--project", folder]);
}

/** Returns the absolute path of a file or folder of the project. */
function path(relative: string): string {
  return fileURLToPath(new URL(relative, ROOT));
}

const folder = await Deno.makeTempDir({ prefix: "session-manager-types-" });
try {
  Deno.exitCode = await check(folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}
