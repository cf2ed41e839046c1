import { NodeCounters, sum } from "./node_counters.ts";
import type { NodeGroup } from "./nodes/node_group.ts";
import type { NodeReport } from "./nodes/node_config.ts";
import type { ClientCounts, Counters, Sample } from "./sample.ts";

const APART_MS = 500;
/** One minute of samples. */
const KEPT = 120;

/** What a node has reported, for those who want to check the page. */
export interface NodeState {
  readonly name: string;
  /** Its `stats()`, if it runs. */
  readonly stats: NodeReport["stats"] | undefined;
  /** What it had counted before it was started again. */
  readonly earlier: Counters;
}

/** Asks all nodes for their `stats()` twice a second. */
export class Sampler implements AsyncDisposable {
  /** The samples of the last minute, the newest last. */
  readonly samples: Sample[] = [];
  readonly #group: NodeGroup;
  readonly #others: () => { sent: number; clients: ClientCounts };
  readonly #counters: readonly NodeCounters[];
  readonly #listeners = new Set<(sample: Sample) => void>();
  readonly #stop = new AbortController();
  readonly #stopped: Promise<void>;

  /**
   * Starts to ask.
   *
   * @param group The nodes.
   * @param others Returns what nodes do not know.
   */
  constructor(
    group: NodeGroup,
    others: () => { sent: number; clients: ClientCounts },
  ) {
    this.#group = group;
    this.#others = others;
    this.#counters = group.all.map((node) => new NodeCounters(node));
    this.#stopped = this.#run();
  }

  /** Returns what each node reported last. */
  get nodes(): NodeState[] {
    return this.#group.all.map(({ name }, index) => {
      const { report, earlier, total } = this.#counters[index]!;
      return report === undefined
        ? { name, stats: undefined, earlier: total }
        : { name, stats: report.stats, earlier };
    });
  }

  /** Whether the reader of a session was evicted. */
  wasEvicted(session: string): boolean {
    return this.#counters.some(({ report }) =>
      report?.evicted.includes(session)
    );
  }

  /** Calls a function with every sample, until the result is called. */
  listen(listener: (sample: Sample) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#take();
      await new Promise((resolve) => setTimeout(resolve, APART_MS));
    }
  }

  async #take(): Promise<void> {
    const counting = this.#group.countSessions();
    await Promise.all(this.#group.all.map(async (node, index) => {
      if (node.status !== "running") return;
      try {
        const report = await this.#group.report(node);
        this.#counters[index]!.add(report, performance.now());
      } catch {
        // It has just died, or is busy.
      }
    }));
    const sessions = await counting;
    const nodes = this.#counters.map((counters) => counters.sample());
    const add = (name: "streams" | "queuedBytes" | "perSecond") =>
      nodes.reduce((sum, node) => sum + node[name], 0);
    const sample: Sample = {
      at: Date.now(),
      nodes,
      totals: sum(this.#counters.map(({ total }) => total)),
      streams: add("streams"),
      queuedBytes: add("queuedBytes"),
      perSecond: add("perSecond"),
      sessions,
      ...this.#others(),
    };
    this.samples.push(sample);
    if (this.samples.length > KEPT) this.samples.shift();
    for (const listener of this.#listeners) listener(sample);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#stopped;
  }
}
