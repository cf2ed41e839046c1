import type { Figure } from "./figures.ts";

/** How a figure changed. */
export interface Change {
  readonly now: Figure;
  readonly before: Figure | undefined;
  /** The factor by which it is worse; below 1 it is better. */
  readonly factor: number;
  readonly verdict: "same" | "better" | "worse" | "regression" | "new";
}

/** A figure with a single value has no quartiles. */
const MIN_NOISE = 0.02;
/** The factor from which a figure without noise counts as a regression. */
const EXACT_THRESHOLD = 1.1;

/**
 * Compares figures with earlier ones. A change smaller than the noise of both,
 * by their quartiles, counts as none.
 *
 * @param threshold The factor from which a change counts as a regression. A
 * figure that was measured once has no noise; for it the factor is 1.1.
 * @param isSameMachine Whether milliseconds can be compared. If not, they all
 * count as new.
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
  const overlap = now.low <= before.high * (1 + MIN_NOISE) &&
    before.low <= now.high * (1 + MIN_NOISE);
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
 * Returns the better of two measurements, so that other work on the machine
 * during the first is not a regression.
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
