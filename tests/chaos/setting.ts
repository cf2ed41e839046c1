import type { History } from "./history.ts";
import type { Schedule } from "./schedule.ts";
import type { Store } from "./stores/store.ts";

/** How long anything may take, on a machine that is very busy. */
export const PATIENCE_MS = 90_000;

/** What a run works with. */
export interface Setting {
  readonly schedule: Schedule;
  readonly store: Store;
  readonly history: History;
  readonly random: () => number;
}

/** Returns an item by a number, modulo how many there are. */
export function at<Item>(
  items: readonly Item[],
  number: number,
): Item | undefined {
  return items[number % items.length];
}
