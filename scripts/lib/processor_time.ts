import type { Program } from "./command.ts";

/** Runs the other arguments, and writes the times of the shell and of what it waited for. */
const SCRIPT = 'file=$1; shift; "$@"; code=$?; times > "$file"; exit $code';

/**
 * Returns a program that also writes how much processor time it used, with all
 * processes that it started and waited for. Needs a POSIX shell.
 *
 * @param file The file to write, for {@linkcode readSeconds}.
 */
export function timed(program: Program, file: string): Program {
  return ["sh", "-c", SCRIPT, "sh", file, ...program];
}

/** Returns the processor seconds in a file that a {@linkcode timed} program wrote. */
export async function readSeconds(file: string): Promise<number> {
  return parseTimes(await Deno.readTextFile(file));
}

/** Adds up the output of the shell's `times`, such as `0m1.25s 0m0.50s`. */
export function parseTimes(text: string): number {
  const times = [...text.matchAll(/(\d+)m(\d+)[.,](\d+)s/g)];
  if (times.length !== 4) {
    throw new Error(`Expected four times from the shell, got "${text}".`);
  }
  return times.reduce(
    (sum, [, minutes, seconds, fraction]) =>
      sum + Number(minutes) * 60 + Number(`${seconds}.${fraction}`),
    0,
  );
}
