/**
 * `@std/async` as npm has it, where JSR is out of reach: the functions that the
 * tests use. The copy on npm has no types, so they are given here.
 *
 * @module
 */
import * as std from "deno-std/async/mod.js";

/** Options of `delay`. */
export interface DelayOptions {
  signal?: AbortSignal;
  persistent?: boolean;
}

export const delay: (ms: number, options?: DelayOptions) => Promise<void> =
  std.delay;

export const deadline: <T>(
  promise: Promise<T>,
  ms: number,
  options?: { signal?: AbortSignal },
) => Promise<T> = std.deadline;
