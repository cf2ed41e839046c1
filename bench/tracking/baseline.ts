import type { Figure } from "./figures.ts";

/** The machine of a measurement. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly os: string;
}

/** What a record says of its origin, and its figures. */
export interface Measured {
  readonly runtime: { readonly name: string };
  readonly machine: Machine;
  readonly figures: readonly Figure[];
}

/** Returns whether absolute figures of two machines can be compared. */
export function isSameMachine(one: Machine, other: Machine): boolean {
  return one.cpu === other.cpu && one.cores === other.cores;
}

/**
 * Returns the record to compare with: the latest of the same runtime,
 * preferably on the same machine. Sizes do not depend on the machine, so they
 * are those of the latest record.
 */
export function latest<Entry extends Measured>(
  history: readonly Entry[],
  runtime: string,
  machine: Machine,
): Entry | undefined {
  const own = history.filter((entry) =>
    entry.runtime.name.toLowerCase() === runtime.toLowerCase()
  );
  const newest = own.at(-1);
  const same = own.findLast((entry) => isSameMachine(entry.machine, machine));
  if (newest === undefined || same === undefined) return newest;
  const isSize = ({ unit }: Figure) => unit === "bytes";
  const sizes = newest.figures.filter(isSize);
  const others = same.figures.filter((figure) => !isSize(figure));
  return { ...same, figures: [...sizes, ...others] };
}
