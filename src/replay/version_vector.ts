import { touch } from "../runtime/lru_map.ts";

/** Which text to everyone an event is: who sent it, and the how-manieth of it. */
export interface BroadcastId {
  readonly node: string;
  readonly seq: number;
}

/** How many sessions, and how many senders, are remembered. */
const MAX_SESSIONS = 100_000;
const MAX_NODES = 10_000;

/**
 * What a log has to remember for sessions to move from node to node: each node has
 * a log of its own, but all have the texts to everyone.
 */
export class VersionVector {
  readonly #seen: Map<string, number> = new Map();
  readonly #trimmed: Map<string, number> = new Map();
  /** Where sessions that came from elsewhere had got to, and where that is here. */
  readonly #arrivals: Map<string, { from: string; to: string }> = new Map();
  /** After which event sessions left. */
  readonly #departures: Map<string, number> = new Map();

  /** Notes after which event a session left. */
  recordDeparture(session: string, offset: number): void {
    touch(this.#departures, session, offset);
    dropOldest(this.#departures, MAX_SESSIONS);
  }

  /** After which event a session left the last time, 0 if it never did. */
  departedAt(session: string): number {
    return this.#departures.get(session) ?? 0;
  }

  /** Notes a text to everyone. */
  observe({ node, seq }: BroadcastId): void {
    raise(this.#seen, node, seq);
  }

  /** Notes that a text to everyone was dropped. */
  trim({ node, seq }: BroadcastId): void {
    raise(this.#trimmed, node, seq);
  }

  /** The newest text to everyone of each sender. */
  snapshot(): Record<string, number> {
    return Object.fromEntries(this.#seen);
  }

  /** Whether another node has heard more of some nodes than this one. */
  isBehind(
    nodes: readonly string[],
    heard: Readonly<Record<string, number>>,
  ): boolean {
    return nodes.some((node) =>
      Object.hasOwn(heard, node) && heard[node]! > (this.#seen.get(node) ?? 0)
    );
  }

  /** Whether a text to everyone is one that another node had not heard of. */
  isAfter(
    { node, seq }: BroadcastId,
    heard: Readonly<Record<string, number>>,
  ): boolean {
    return !Object.hasOwn(heard, node) || seq > heard[node]!;
  }

  /** Whether a text to everyone was dropped that another node had not heard of. */
  hasGap(heard: Readonly<Record<string, number>>): boolean {
    return Object.entries(heard).some(([node, count]) =>
      count < (this.#trimmed.get(node) ?? 0)
    );
  }

  /** Notes that a session came from a position elsewhere to one here. */
  recordArrival(session: string, from: string, to: string): void {
    touch(this.#arrivals, session, { from, to });
    dropOldest(this.#arrivals, MAX_SESSIONS);
  }

  /** A session has left. */
  forgetArrival(session: string): void {
    this.#arrivals.delete(session);
  }

  /** The position here of one that may be from where the session came from. */
  translate(session: string, position: string): string {
    const came = this.#arrivals.get(session);
    return came?.from === position ? came.to : position;
  }
}

function raise(counts: Map<string, number>, node: string, count: number): void {
  counts.set(node, Math.max(count, counts.get(node) ?? 0));
  dropOldest(counts, MAX_NODES);
}

function dropOldest(map: Map<string, unknown>, size: number): void {
  if (map.size > size) map.delete(map.keys().next().value!);
}
