import { AssertionError } from "node:assert/strict";
import { inspect } from "node:util";
import { InvalidArgumentError } from "../../errors.ts";
import { formatValue } from "../../format_value.ts";
import { waitUntil, withTimeout } from "../support/timing.ts";

/**
 * Registers a test: `Deno.test`, `it` of `node:test`, `test` of Bun or Vitest.
 *
 * @param name The name of the test. It starts with the number of a behaviour.
 * @param run The test. It rejects if the manager doesn't show the behaviour.
 */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown;

/** Options of every suite. */
export interface SuiteOptions<Manager, Limits, Behaviour extends string> {
  /** Registers one test. */
  readonly test: TestFunction;
  /**
   * Creates a manager. Called at least once in each test.
   *
   * @param limits The options that the test needs, named like those of this
   * package. A manager without such an option may ignore it; set the behaviour
   * to `false` in `supports` then.
   */
  readonly create: (limits: Limits) => Manager | Promise<Manager>;
  /**
   * Releases what a manager holds. Called with each manager when its test ends.
   *
   * @default undefined nothing is released
   */
  readonly dispose?: ((manager: Manager) => unknown) | undefined;
  /**
   * The behaviours that the manager supports. Tests of a behaviour that is
   * `false` here are not run.
   *
   * @default {} all behaviours
   */
  readonly supports?:
    | { readonly [B in Behaviour]?: boolean | undefined }
    | undefined;
  /**
   * Registers a test that is not run, so that your test runner lists it as
   * skipped: `it.skip` of `node:test`, `Deno.test.ignore`.
   *
   * @default undefined these tests are not listed
   */
  readonly skip?: TestFunction | undefined;
  /**
   * How long a test waits for one thing to happen, in milliseconds. A whole
   * test may take six times as long.
   *
   * @default 5_000
   */
  readonly timeoutMs?: number | undefined;
}

/** What a test works with. */
export interface Context<Manager, Limits> {
  /** Creates a manager, which is disposed of when the test ends. */
  readonly create: (limits?: Limits) => Promise<Manager>;
  /** Waits for a promise, and fails after the timeout. */
  readonly within: <Value>(
    promise: Value | Promise<Value>,
    what: string,
  ) => Promise<Value>;
  /** Waits until a condition holds, and fails after the timeout. */
  readonly waitUntil: (
    condition: () => boolean | Promise<boolean>,
    what: string,
  ) => Promise<void>;
}

/** One test of a suite. */
export interface Case<Manager, Limits, Behaviour extends string> {
  readonly behaviour: Behaviour;
  readonly name: string;
  /** Other behaviours without which the manager can't show this one. */
  readonly requires?: readonly Behaviour[];
  /**
   * Whether the suite was given what the test needs.
   *
   * @default true
   */
  readonly isPossible?: boolean;
  readonly run: (context: Context<Manager, Limits>) => Promise<void>;
}

/**
 * Registers the tests of a suite.
 *
 * @throws {InvalidArgumentError} If an option is invalid, so that a misspelt one
 * doesn't pass for a suite that succeeds.
 */
export function register<Manager, Limits, Behaviour extends string>(
  cases: readonly Case<Manager, Limits, Behaviour>[],
  options: SuiteOptions<Manager, Limits, Behaviour>,
): void {
  const { test, skip, create, timeoutMs = 5_000 } = options;
  const supports: SuiteOptions<Manager, Limits, Behaviour>["supports"] =
    options.supports ?? {};
  assertFunction("test", test);
  assertFunction("create", create);
  assertBehaviours(cases, supports);
  const isSupported = (behaviour: Behaviour) => supports[behaviour] !== false;
  for (const { behaviour, name, requires = [], isPossible, run } of cases) {
    const isRun = isPossible !== false &&
      [behaviour, ...requires].every(isSupported);
    const registerTest = isRun ? test : skip;
    registerTest?.(`${behaviour} ${name}`, async () => {
      const managers: Manager[] = [];
      let error: Error | undefined;
      try {
        const running = run({
          create: async (limits = {} as Limits) => {
            const manager = await create(limits);
            managers.push(manager);
            return manager;
          },
          within: (promise, what) => withTimeout(promise, what, timeoutMs),
          waitUntil: (condition, what) => waitUntil(condition, what, timeoutMs),
        });
        // Also ends a test whose manager never settles a call.
        await withTimeout(running, "the end of the test", 6 * timeoutMs);
      } catch (cause) {
        error = failure(behaviour, cause);
      }
      for (const manager of managers) {
        try {
          const disposing = Promise.resolve(options.dispose?.(manager));
          await withTimeout(disposing, "dispose() to settle", timeoutMs);
        } catch (cause) {
          // The others are still released.
          error ??= failure(behaviour, cause);
        }
      }
      if (error !== undefined) throw error;
    });
  }
}

/** The longest value in the message of a failure, in characters. */
const MAX_VALUE_LENGTH = 1_000;

/** The error of a test that names the behaviour, and what was expected. */
function failure(behaviour: string, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const values = valuesOf(error);
  return new Error(
    `Behaviour ${behaviour} is broken: ${message}${values}`,
    { cause: error },
  );
}

/**
 * The values of a failed comparison. `node:assert` leaves them out of a message
 * that was passed to it.
 */
function valuesOf(error: unknown): string {
  if (!(error instanceof AssertionError) || error.generatedMessage) return "";
  const { actual, expected, operator } = error;
  if (operator === "==" || operator === "fail") return "";
  return `\n  actual: ${shorten(actual)}\n  expected: ${shorten(expected)}`;
}

function shorten(value: unknown): string {
  const text = inspect(value, { depth: 4, breakLength: 80 });
  return text.length <= MAX_VALUE_LENGTH
    ? text
    : `${text.slice(0, MAX_VALUE_LENGTH)}…`;
}

function assertFunction(name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new InvalidArgumentError(
    name,
    `"${name}" must be a function, but got ${formatValue(value)}.`,
  );
}

function assertBehaviours(
  cases: readonly { readonly behaviour: string }[],
  supports: object,
): void {
  const behaviours = new Set(cases.map(({ behaviour }) => behaviour));
  for (const name of Object.keys(supports)) {
    if (behaviours.has(name)) continue;
    throw new InvalidArgumentError(
      "supports",
      `"supports" names ${formatValue(name)}, which this suite doesn't test. ` +
        `It tests ${[...behaviours].join(", ")}.`,
    );
  }
}
