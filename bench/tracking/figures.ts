import { ratio, type Spread, spread } from "../paired_rounds.ts";

/** What was found out, with the noise that there was. */
export interface Figure {
  /** What it is about; the same from release to release. */
  readonly id: string;
  /** Ratios hold on any machine; bytes and milliseconds are absolute. */
  readonly unit: "times" | "bytes" | "ms";
  readonly better: "lower" | "higher";
  /** What it is to be at most, or at least where more is better. */
  readonly goal?: number | undefined;
  readonly median: number;
  /** The quartiles. */
  readonly low: number;
  readonly high: number;
  /** How many values there were. */
  readonly rounds: number;
}

/** How long a message took, for a picture; this is absolute. */
export interface Point {
  readonly contender: string;
  readonly sessions: number;
  readonly burst: number;
  readonly ns: number;
}

/** What a suite found out. */
export interface Findings {
  readonly figures: readonly Figure[];
  readonly points?: readonly Point[];
}

/** Figures that are found out in one go. */
export interface Suite {
  readonly name: string;
  /** Whether it is part of the short version. */
  readonly isShort: boolean;
  /** @param rounds How many count. */
  readonly run: (rounds: number) => Promise<Findings>;
}

/** How many times as long one took as the other, round by round. */
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

/** Something absolute, of which less is better. */
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

/** Whether a goal is met; undefined without one. */
export function isMet({ goal, better, median }: Figure): boolean | undefined {
  if (goal === undefined) return undefined;
  return better === "lower" ? median <= goal : median >= goal;
}

/** To four digits: what comes after them is noise. */
export function rounded<Numbers extends Spread>(
  { low, median, high }: Numbers,
): Spread {
  const [a, b, c] = [low, median, high]
    .map((value) => Number(value.toPrecision(4)));
  return { low: a!, median: b!, high: c! };
}
