import type { MadeNode, NodeSessions } from "./stores/store.ts";
import type { Link } from "./links.ts";

/** So short that a schedule has many, in milliseconds. */
export const HEARTBEAT_MS = 200;

/** A node of a run. */
export class ChaosNode {
  readonly name: string;
  readonly sessions: NodeSessions;
  readonly link: Link | undefined;
  readonly #made: MadeNode;
  readonly #met: Set<string> = new Set();
  /** When it was started. */
  readonly startedAt: number;
  /** When it began to close, or was killed. */
  goneAt: number = Infinity;
  /** Whether it was cut off for good, and did not close. */
  wasKilled: boolean = false;
  /** How many messages it had lost when the round began. */
  lostBefore: number = 0;
  /** How many messages it was asked to send. */
  sent: number = 0;

  /**
   * @param name Its name.
   * @param startedAt When it was started.
   * @param made Its sessions and connections.
   */
  constructor(name: string, startedAt: number, made: MadeNode) {
    this.startedAt = startedAt;
    this.name = name;
    this.sessions = made.sessions;
    this.link = made.link;
    this.#made = made;
  }

  /** The names of the nodes that it has met so far. */
  get met(): ReadonlySet<string> {
    for (const { name } of this.sessions.nodes()) this.#met.add(name);
    return this.#met;
  }

  /** How many messages it has lost, by its own count. */
  get lost(): number {
    return this.sessions.stats().cluster.lost;
  }

  /** Closes its sessions, unless they are closed, and its connections. */
  async dispose(): Promise<void> {
    await this.sessions.close();
    await this.#made.disconnect();
  }
}
