import type { Link } from "../links.ts";
import type { NodeHandle } from "./node_handle.ts";

/** So short that a schedule has many, in milliseconds. */
export const HEARTBEAT_MS = 200;

/** A node of a run. */
export class ChaosNode {
  readonly name: string;
  /** When it was started. */
  readonly startedAt: number;
  /** When it began to close, or was killed. */
  goneAt: number = Infinity;
  /** Whether it was killed, or cut off for good, and did not close. */
  wasKilled: boolean = false;
  /** How many messages it had lost when the round began. */
  lostBefore: number = 0;
  /** How many messages it was asked to send. */
  sent: number = 0;
  #handle: NodeHandle | undefined;
  readonly #met: Set<string> = new Set();

  /**
   * @param name Its name.
   * @param startedAt When it was started.
   */
  constructor(name: string, startedAt: number) {
    this.name = name;
    this.startedAt = startedAt;
  }

  /** Called when it is there. */
  onMade(handle: NodeHandle): void {
    this.#handle = handle;
  }

  /** What is done with it. */
  get handle(): NodeHandle {
    if (this.#handle === undefined) throw new Error(`${this.name} is starting`);
    return this.#handle;
  }

  /** Its connections, where they can be cut. */
  get link(): Link | undefined {
    return this.#handle?.link;
  }

  /** The names of the nodes that it has met so far. */
  get met(): ReadonlySet<string> {
    for (const name of this.#handle?.state.nodes ?? []) this.#met.add(name);
    return this.#met;
  }

  /** Returns whether it considers a node dead that it had met. */
  misses({ name }: ChaosNode): boolean {
    return this.met.has(name) && !this.handle.state.nodes.includes(name);
  }

  /** How many messages it has lost, by its own count. */
  get lost(): number {
    return this.#handle?.state.lost ?? 0;
  }

  /** Ends it and its connections. */
  async dispose(): Promise<void> {
    await this.#handle?.dispose();
  }
}
