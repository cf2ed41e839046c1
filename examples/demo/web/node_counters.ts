import type { NodeReport } from "./nodes/node_config.ts";
import type { Node } from "./nodes/node_group.ts";
import type { Counters, NodeSample } from "./sample.ts";

const NONE: Counters = {
  begun: 0,
  ended: 0,
  delivered: 0,
  replayed: 0,
  resets: 0,
  resumed: 0,
  evictedByBytes: 0,
  evictedByAge: 0,
};

/** What a node has reported, before and after it was killed. */
export class NodeCounters {
  readonly #node: Node;
  /** What it had counted when it was last started. */
  #earlier = NONE;
  #report: NodeReport | undefined;
  #counters = NONE;
  #starts = 0;
  #reportedAt = 0;
  #perSecond = 0;

  constructor(node: Node) {
    this.#node = node;
  }

  /** The counters of all the times it ran. */
  get total(): Counters {
    return sum([this.#earlier, this.#counters]);
  }

  /** The counters of the times it ran before. */
  get earlier(): Counters {
    return this.#earlier;
  }

  /** Its last report, if it runs and has reported. */
  get report(): NodeReport | undefined {
    const { status, starts } = this.#node;
    const isCurrent = status === "running" && starts === this.#starts;
    return isCurrent ? this.#report : undefined;
  }

  /** Stores a report of a node that runs. */
  add(report: NodeReport, now: number): void {
    const counters = countersOf(report);
    if (this.#starts !== this.#node.starts) {
      this.#starts = this.#node.starts;
      this.#earlier = this.total;
      this.#counters = NONE;
      this.#perSecond = 0;
    } else {
      const seconds = (now - this.#reportedAt) / 1_000;
      const delivered = counters.delivered - this.#counters.delivered;
      this.#perSecond = delivered / seconds;
    }
    this.#report = report;
    this.#counters = counters;
    this.#reportedAt = now;
  }

  /** Returns what the page shows of it. */
  sample(): NodeSample {
    const { name, status, starts, running } = this.#node;
    const stats = this.report?.stats;
    return {
      name,
      status,
      starts,
      pid: running?.pid,
      streams: stats?.attached ?? 0,
      queuedBytes: stats?.queuedBytes ?? 0,
      perSecond: stats === undefined ? 0 : Math.round(this.#perSecond),
    };
  }
}

/** Adds up counters. */
export function sum(all: readonly Counters[]): Counters {
  const total: Record<keyof Counters, number> = { ...NONE };
  for (const counters of all) {
    for (const name of Object.keys(total) as (keyof Counters)[]) {
      total[name] += counters[name];
    }
  }
  return total;
}

function countersOf({ stats, resumed }: NodeReport): Counters {
  const { begun, ended, delivered, replayed, resets, evicted } = stats;
  return {
    begun,
    ended: sumOfValues(ended),
    delivered,
    replayed,
    resets: sumOfValues(resets),
    resumed,
    evictedByBytes: evicted.bytes,
    evictedByAge: evicted.age,
  };
}

function sumOfValues(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
