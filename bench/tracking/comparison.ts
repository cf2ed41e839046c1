import type { Figure } from "./figures.ts";

/** What became of a figure. */
export interface Change {
  readonly now: Figure;
  readonly before: Figure | undefined;
  /** How many times as bad; below 1 it is better. */
  readonly factor: number;
  readonly verdict: "same" | "better" | "worse" | "regression" | "new";
}

/** Figures of one value have no noise that they know of. */
const LEAST_NOISE = 0.02;
/** From how many times as bad on what is the same each time is a regression. */
const EXACT_THRESHOLD = 1.1;

/**
 * Compares figures with earlier ones. What moved less than the noise of the two, by
 * their quartiles, is the same.
 *
 * @param threshold From how many times as bad on a change is a regression. What was
 * measured but once has no noise, and is one from 1.1 times on.
 * @param isSameMachine Whether milliseconds can be compared; they are all "new"
 * otherwise.
 */
export function compareFigures(
  before: readonly Figure[],
  now: readonly Figure[],
  threshold: number,
  isSameMachine: boolean,
): Change[] {
  const byId = new Map(before.map((figure) => [figure.id, figure]));
  return now.map((figure) => {
    const isComparable = isSameMachine || figure.unit !== "ms";
    const other = isComparable ? byId.get(figure.id) : undefined;
    return compareFigure(other, figure, threshold);
  });
}

function compareFigure(
  before: Figure | undefined,
  now: Figure,
  threshold: number,
): Change {
  if (before === undefined) return { now, before, factor: 1, verdict: "new" };
  const factor = now.better === "lower"
    ? now.median / before.median
    : before.median / now.median;
  const overlap = now.low <= before.high * (1 + LEAST_NOISE) &&
    before.low <= now.high * (1 + LEAST_NOISE);
  const verdict = overlap
    ? "same"
    : factor < 1
    ? "better"
    : factor > (now.rounds === 1 ? EXACT_THRESHOLD : threshold)
    ? "regression"
    : "worse";
  return { now, before, factor, verdict };
}

/**
 * What counts of two tries: the better one, so that what else the machine did the
 * first time is no regression.
 */
export function confirm(
  first: readonly Change[],
  second: readonly Change[],
): Change[] {
  const byId = new Map(second.map((change) => [change.now.id, change]));
  return first.map((change) => {
    const again = byId.get(change.now.id);
    return again !== undefined && again.factor < change.factor ? again : change;
  });
}
