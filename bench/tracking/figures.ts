import { ratio, type Spread, spread } from "../paired_rounds.ts";

/** A measured value with its noise. */
export interface Figure {
  /** What was measured; stays the same from release to release. */
  readonly id: string;
  /** Ratios hold on any machine; bytes and milliseconds are absolute. */
  readonly unit: "times" | "bytes" | "ms";
  readonly better: "lower" | "higher";
  /** The upper limit, or the lower limit where more is better. */
  readonly goal?: number | undefined;
  readonly median: number;
  /** The quartiles. */
  readonly low: number;
  readonly high: number;
  /** The number of values. */
  readonly rounds: number;
}

/** The absolute time per message, for a picture. */
export interface Point {
  readonly contender: string;
  readonly sessions: number;
  readonly burst: number;
  readonly ns: number;
}

/** The results of a suite. */
export interface Findings {
  readonly figures: readonly Figure[];
  readonly points?: readonly Point[];
}

/** Figures that are measured together. */
export interface Suite {
  readonly name: string;
  /** Whether it is part of the short version. */
  readonly isShort: boolean;
  /** @param rounds The number of rounds that count. */
  readonly run: (rounds: number) => Promise<Findings>;
}

/** Returns a figure with the ratio of two times, round by round. */
export function times(
  id: string,
  ones: readonly number[],
  others: readonly number[],
  goal?: number,
): Figure {
  return {
    id,
    unit: "times",
    better: "lower",
    goal,
    ...rounded(ratio([...ones], [...others])),
    rounds: ones.length,
  };
}

/** Returns an absolute figure for which less is better. */
export function absolute(
  id: string,
  unit: "bytes" | "ms",
  values: readonly number[],
  goal?: number,
): Figure {
  return {
    id,
    unit,
    better: "lower",
    goal,
    ...rounded(spread([...values])),
    rounds: values.length,
  };
}

/** Returns whether a goal is met; undefined without a goal. */
export function isMet({ goal, better, median }: Figure): boolean | undefined {
  if (goal === undefined) return undefined;
  return better === "lower" ? median <= goal : median >= goal;
}

/** Rounds to four digits: everything beyond is noise. */
export function rounded<Numbers extends Spread>(
  { low, median, high }: Numbers,
): Spread {
  const [a, b, c] = [low, median, high]
    .map((value) => Number(value.toPrecision(4)));
  return { low: a!, median: b!, high: c! };
}
