/** The timed part of a round, with its preparation and cleanup. */
export interface Entrant {
  readonly prepare: () => void;
  readonly run: () => void | Promise<void>;
  readonly finish: () => Promise<void>;
  /** The number of runs in a round. */
  readonly runs: number;
}

const WARM_UP_ROUNDS = 3;

/**
 * Times entrants in rounds: every entrant in every round, in a changing order,
 * so that other work on the machine affects all of them. An entrant's share of
 * a round starts with an empty heap and is several runs long, so that it pays
 * for its own garbage and no one else's.
 *
 * @param entrants The entrants by name.
 * @param rounds The number of rounds that count, after a few that do not.
 * @returns For each entrant the milliseconds of a run, one number per round.
 */
export async function pairedRounds<Name extends string>(
  entrants: Record<Name, Entrant>,
  rounds: number,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(entrants) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as Record<
    string,
    number[]
  >;
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const at of names.keys()) {
      const name = names[(at + round + WARM_UP_ROUNDS) % names.length]!;
      const { prepare, run, finish, runs } = entrants[name];
      collectGarbage();
      let total = 0;
      for (let count = 0; count < runs; count++) {
        prepare();
        const start = performance.now();
        const done = run();
        // Awaiting a finished run would add time.
        if (done !== undefined) await done;
        total += performance.now() - start;
        await finish();
      }
      if (round >= 0) times[name]!.push(total / runs);
    }
  }
  return times;
}

/** The median of some numbers, and the quartiles. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** Summarizes numbers. */
export function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))];
  return { low: at(0.25)!, median: at(0.5)!, high: at(0.75)! };
}

/** Summarizes the ratios of two entrants' times, round by round. */
export function ratio(ones: number[], others: number[]): Spread {
  return spread(ones.map((one, round) => one / others[round]!));
}

/** Does nothing on Deno and Node unless started with `--expose-gc`. */
function collectGarbage(): void {
  const { gc, Bun } = globalThis as {
    gc?: () => void;
    Bun?: { gc(now: boolean): void };
  };
  if (Bun !== undefined) Bun.gc(true);
  else gc?.();
}
