/**
 * The functions of `@std/async` that the tests use, from npm, for when JSR is
 * unreachable. The npm package has no types, so they are declared here.
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
