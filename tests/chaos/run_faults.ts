import { type FaultName, FAULTS } from "./faults.ts";
import type { FaultSpan } from "./history.ts";
import type { ChaosNode } from "./nodes/chaos_node.ts";
import type { RunNodes } from "./run_nodes.ts";
import { at, type Setting } from "./setting.ts";

/** How long the process is blocked, in milliseconds. */
const BLOCK_MS = 900;

/** The faults of a run. */
export class RunFaults {
  readonly #setting: Setting;
  readonly #nodes: RunNodes;
  readonly #heals: Map<FaultName, () => Promise<void>> = new Map();

  /**
   * @param setting What the run works with.
   * @param nodes The nodes whose connections can fail.
   */
  constructor(setting: Setting, nodes: RunNodes) {
    this.#setting = setting;
    this.#nodes = nodes;
  }

  /** Begins a fault of the store, of a node, or of this process. */
  async begin(fault: FaultName, on: number): Promise<void> {
    const { history } = this.#setting;
    const node = FAULTS[fault].scope === "node"
      ? at(this.#nodes.alive, on)!
      : undefined;
    const span: FaultSpan = {
      fault,
      node,
      from: history.now,
      healedAt: Infinity,
    };
    history.faults.push(span);
    const heal = await this.#begin(fault, node);
    this.#heals.set(fault, async () => {
      await heal();
      span.healedAt = history.now;
    });
  }

  /** Ends a fault, or all of them. */
  async heal(fault?: FaultName): Promise<void> {
    const faults = fault === undefined ? [...this.#heals.keys()] : [fault];
    for (const fault of faults) {
      await this.#heals.get(fault)?.();
      this.#heals.delete(fault);
    }
  }

  /** Keeps what the store has, unless it is down or stopped. */
  async takeSnapshot(): Promise<void> {
    const isFailing = [...this.#heals.keys()].some((fault) =>
      FAULTS[fault].scope === "server"
    );
    if (!isFailing) await this.#setting.store.snapshot?.();
  }

  async #begin(
    fault: FaultName,
    node: ChaosNode | undefined,
  ): Promise<() => unknown> {
    if (fault === "block") {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCK_MS);
      return () => {};
    }
    if (node === undefined) return await this.#setting.store.fail(fault);
    const heal = node.link!.fail(fault);
    // One that was killed stays cut off.
    return () => node.wasKilled || heal();
  }
}
