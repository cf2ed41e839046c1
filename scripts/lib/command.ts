/** The root folder of the project, from which every command runs. */
export const ROOT: URL = new URL("../../", import.meta.url);

const CMD = Deno.build.os === "windows" ? ".cmd" : "";
/** npm, which comes with Node. */
export const NPM: string = `npm${CMD}`;

/** A program and its first arguments. */
export type Program = readonly [path: string, ...args: string[]];

/** The Deno that runs this script, which need not be on the PATH. */
export const DENO: Program = [Deno.execPath()];

/** Returns a program of an npm package, which is installed when needed. */
export function npx(spec: string, bin: string): Program {
  return [`npx${CMD}`, "-y", "-p", spec, bin];
}

/** Options of a command. */
export interface RunOptions {
  cwd?: URL | string;
  env?: Record<string, string>;
}

/** Runs a command and shows its output; resolves with its exit code. */
export async function run(
  [path, ...first]: Program,
  args: readonly string[],
  { cwd = ROOT, env = {} }: RunOptions = {},
): Promise<number> {
  const { code } = await new Deno.Command(path, {
    args: [...first, ...args],
    cwd,
    env,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
}

/** Runs a command without showing its output; resolves with the output. */
export async function capture(
  [path, ...first]: Program,
  args: readonly string[],
  { cwd = ROOT, env = {} }: RunOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args: [...first, ...args],
    cwd,
    env,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Returns the output of a command, or `undefined` if there is no such program. */
export async function output(
  program: Program,
  args: readonly string[],
  options?: RunOptions,
): Promise<string | undefined> {
  try {
    const { code, stdout, stderr } = await capture(program, args, options);
    if (code === 0) return stdout.trim();
    throw new Error(`"${program[0]} ${args.join(" ")}" failed: ${stderr}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Returns the path of Node or Bun itself, or `undefined` if there is no such program.
 * npm takes seconds to start a program of a package, and a kill would hit the script
 * that it starts instead of the program.
 */
export function executable(program: Program): Promise<string | undefined> {
  return output(program, ["-p", "process.execPath"]);
}

/** Returns every file under a folder of the project whose path has this ending. */
export async function filesUnder(
  folder: string,
  ending: string,
): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of entries(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await filesUnder(path, ending));
    else if (name.endsWith(ending)) found.push(path);
  }
  return found.sort();
}

async function* entries(folder: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(new URL(`${folder}/`, ROOT));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Runs a script and exits with its exit code; an error is printed and exits
 * with 2.
 */
export async function exitWith(main: () => Promise<number>): Promise<never> {
  try {
    Deno.exit(await main());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(2);
  }
}
