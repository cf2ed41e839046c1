/** What is timed in a round, between what is not. */
export interface Entrant {
  readonly prepare: () => void;
  readonly run: () => void | Promise<void>;
  readonly finish: () => Promise<void>;
  /** How often in a round, one run after the other. */
  readonly runs: number;
}

const WARM_UP_ROUNDS = 3;

/**
 * Times entrants in rounds: each in every round, every time in another order, so
 * that what else the machine does hits all of them. An entrant's share of a round
 * starts with an empty heap and is several runs long, so that it pays for the
 * garbage it makes, and for no one else's.
 *
 * @param entrants Who, by name.
 * @param rounds How many rounds count, after a few that do not.
 * @returns For each entrant the milliseconds a run took, one number a round.
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
        // An await of its own would be timed with what is over already.
        if (done !== undefined) await done;
        total += performance.now() - start;
        await finish();
      }
      if (round >= 0) times[name]!.push(total / runs);
    }
  }
  return times;
}

/** The middle of some numbers, and the two that hold half of them between them. */
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

/** Summarizes how many times as long one took as the other, round by round. */
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
