/** Registers a test: `Deno.test`, `it` of `node:test`, `test` of Bun or Vitest. */
export type TestFunction = (name: string, run: () => Promise<void>) => unknown;

/** What every suite needs to know. */
export interface SuiteOptions<Manager, Limits, Behaviour extends string> {
  /** Registers one test; its name starts with the number of the behaviour. */
  readonly test: TestFunction;
  /**
   * Makes the manager of one test.
   *
   * @param limits What the test needs other than the defaults, in the words of
   * this package's options. A manager that cannot be told may ignore it.
   */
  readonly create: (limits: Limits) => Manager | Promise<Manager>;
  /** Frees what one test's manager holds. */
  readonly dispose?: ((manager: Manager) => unknown) | undefined;
  /**
   * What the manager offers. A behaviour that is `false` here is not tested.
   *
   * @default {} all of them
   */
  readonly supports?:
    | { readonly [B in Behaviour]?: boolean | undefined }
    | undefined;
  /** Registers the test of a behaviour that is not offered, to make it visible. */
  readonly skip?: TestFunction | undefined;
  /**
   * How long one expectation may take to come true, in milliseconds; a whole test
   * may take six times as long.
   *
   * @default 5_000
   */
  readonly timeoutMs?: number | undefined;
}

/** What one test works with. */
export interface Context<Manager, Limits> {
  /** Makes the manager; disposed of when the test ends. */
  readonly create: (limits?: Limits) => Promise<Manager>;
  /** Waits for a promise, and fails when it takes longer than the time-out. */
  readonly within: <Value>(
    promise: Value | Promise<Value>,
    what: string,
  ) => Promise<Value>;
}

/** One test of a suite. */
export interface Case<Manager, Limits, Behaviour extends string> {
  readonly behaviour: Behaviour;
  readonly name: string;
  readonly run: (context: Context<Manager, Limits>) => Promise<void>;
}

/** Registers the tests of a suite. */
export function register<Manager, Limits, Behaviour extends string>(
  cases: readonly Case<Manager, Limits, Behaviour>[],
  options: SuiteOptions<Manager, Limits, Behaviour>,
): void {
  const { timeoutMs = 5_000 } = options;
  for (const { behaviour, name, run } of cases) {
    const register = options.supports?.[behaviour] === false
      ? options.skip
      : options.test;
    register?.(`${behaviour} ${name}`, async () => {
      const made: Manager[] = [];
      try {
        const running = run({
          create: async (limits = {} as Limits) => {
            const manager = await options.create(limits);
            made.push(manager);
            return manager;
          },
          within: (promise, what) => within(promise, what, timeoutMs),
        });
        // A manager that never answers must not stop the whole run.
        await within(running, "The test", 6 * timeoutMs);
      } finally {
        for (const manager of made) await options.dispose?.(manager);
      }
    });
  }
}

/**
 * A promise that is awaited later. Without this, its rejection would end the
 * process where the test fails before it gets there.
 */
export function started<Value>(
  promise: Value | Promise<Value>,
): Promise<Value> {
  const started = Promise.resolve(promise);
  started.catch(() => {});
  return started;
}

/** Waits until a value is as expected; answers the last one when time is up. */
export async function eventually<Value>(
  look: () => Value,
  isExpected: (value: Value) => boolean,
): Promise<Value> {
  for (let patience = 200; patience > 0; patience--) {
    if (isExpected(look())) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return look();
}

/** Timers of Node and Deno, which Bun has as well. */
const { setImmediate } = globalThis as {
  setImmediate?: (callback: () => void) => unknown;
};

/** Lets the event loop turn, so that what is sent before and after stays apart. */
export async function nextTurn(): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, 0));
  // Node runs timers one after the other that are set while it runs timers, all in
  // one turn where each of them takes its time.
  if (setImmediate === undefined) return;
  await new Promise<void>((resolve) => void setImmediate(resolve));
}

/**
 * Does something again and again, with short pauses, until it says that it is
 * done, but not forever.
 *
 * @returns The longest time between two beginnings, in milliseconds: on a busy
 * machine nothing can be said of what has to happen more often than that.
 */
export async function repeatedly(
  act: (elapsedMs: number) => boolean | Promise<boolean>,
  pauseMs = 5,
): Promise<number> {
  const start = performance.now();
  let previous = start;
  let longest = 0;
  for (let patience = 1_000; patience > 0; patience -= pauseMs) {
    const now = performance.now();
    longest = Math.max(longest, now - previous);
    previous = now;
    if (await act(now - start)) break;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return Math.max(longest, performance.now() - previous);
}

/**
 * Tries something that depends on time, again where the machine paused for so long
 * that it cannot tell. One that never comes to rest has the benefit of the doubt.
 *
 * @param maxPauseMs How long a pause may be, in milliseconds.
 * @param attempt Answers the longest pause, and what to expect if it was shorter.
 */
export async function undisturbed(
  maxPauseMs: number,
  attempt: () => Promise<[pauseMs: number, expectations: () => unknown]>,
): Promise<void> {
  for (let tries = 5; tries > 0; tries--) {
    const [pauseMs, expectations] = await attempt();
    if (pauseMs < maxPauseMs) {
      await expectations();
      return;
    }
  }
}

/** In how many steps a time-out is counted. */
const STEPS = 10;

async function within<Value>(
  promise: Value | Promise<Value>,
  what: string,
  timeoutMs: number,
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    let left = STEPS;
    const wait = () => {
      if (left-- > 0) timer = setTimeout(wait, timeoutMs / STEPS);
      else reject(new Error(`${what} took longer than ${timeoutMs} ms.`));
    };
    // Step by step: time during which the machine did nothing at all is no time
    // that the manager took.
    wait();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
