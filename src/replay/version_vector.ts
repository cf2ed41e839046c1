import { setNewest } from "../runtime/lru_map.ts";

/** Which text to everyone an event is: who sent it, and the how-manieth of it. */
export interface Origin {
  readonly node: string;
  readonly count: number;
}

/** How many sessions, and how many senders, are remembered. */
const MAX_SESSIONS = 100_000;
const MAX_NODES = 10_000;

/**
 * What a log has to remember for sessions to move from node to node: each node has
 * a log of its own, but all have the texts to everyone.
 */
export class Moves {
  readonly #heard: Map<string, number> = new Map();
  readonly #purged: Map<string, number> = new Map();
  /** Where sessions that came from elsewhere had got to, and where that is here. */
  readonly #came: Map<string, { from: string; to: string }> = new Map();
  /** After which event sessions left. */
  readonly #left: Map<string, number> = new Map();

  /** Notes after which event a session left. */
  leave(session: string, offset: number): void {
    setNewest(this.#left, session, offset);
    dropOldest(this.#left, MAX_SESSIONS);
  }

  /** After which event a session left the last time, 0 if it never did. */
  leftAt(session: string): number {
    return this.#left.get(session) ?? 0;
  }

  /** Notes a text to everyone. */
  heard({ node, count }: Origin): void {
    raise(this.#heard, node, count);
  }

  /** Notes that a text to everyone was dropped. */
  purged({ node, count }: Origin): void {
    raise(this.#purged, node, count);
  }

  /** The newest text to everyone of each sender. */
  allHeard(): Record<string, number> {
    return Object.fromEntries(this.#heard);
  }

  /** Whether another node has heard more of some nodes than this one. */
  isBehind(
    nodes: readonly string[],
    heard: Readonly<Record<string, number>>,
  ): boolean {
    return nodes.some((node) =>
      Object.hasOwn(heard, node) && heard[node]! > (this.#heard.get(node) ?? 0)
    );
  }

  /** Whether a text to everyone is one that another node had not heard of. */
  isAfter(
    { node, count }: Origin,
    heard: Readonly<Record<string, number>>,
  ): boolean {
    return !Object.hasOwn(heard, node) || count > heard[node]!;
  }

  /** Whether a text to everyone was dropped that another node had not heard of. */
  hasGap(heard: Readonly<Record<string, number>>): boolean {
    return Object.entries(heard).some(([node, count]) =>
      count < (this.#purged.get(node) ?? 0)
    );
  }

  /** Notes that a session came from a position elsewhere to one here. */
  note(session: string, from: string, to: string): void {
    setNewest(this.#came, session, { from, to });
    dropOldest(this.#came, MAX_SESSIONS);
  }

  /** A session has left. */
  forget(session: string): void {
    this.#came.delete(session);
  }

  /** The position here of one that may be from where the session came from. */
  positionOf(session: string, position: string): string {
    const came = this.#came.get(session);
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
