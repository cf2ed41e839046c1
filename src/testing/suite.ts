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

async function within<Value>(
  promise: Value | Promise<Value>,
  what: string,
  timeoutMs: number,
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} took longer than ${timeoutMs} ms.`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
