import type { BroadcastId } from "../../replay/entry.ts";
import { LruMap } from "../../runtime/lru_map.ts";

/** Beyond these numbers, the least recently used entries are dropped. */
const MAX_SESSIONS = 100_000;
const MAX_NODES = 10_000;

/** How a session arrived from another node. */
interface Arrival {
  /** The event ID that it arrived with. */
  readonly from: string;
  /** The corresponding position here. */
  readonly to: string;
  /** The last broadcasts that only the other node had received, by sender. */
  readonly ahead: Readonly<Record<string, number>>;
}

/**
 * Compares the logs of nodes, so that sessions can move between them: each node
 * has its own log, but broadcasts are in all of them.
 */
export class VersionVector {
  readonly #seen: LruMap<string, number> = new LruMap(MAX_NODES);
  readonly #trimmed: LruMap<string, number> = new LruMap(MAX_NODES);
  readonly #arrivals: LruMap<string, Arrival> = new LruMap(MAX_SESSIONS);
  /** The offsets at which sessions left. */
  readonly #departures: LruMap<string, number> = new LruMap(MAX_SESSIONS);
  /** The offsets at which other nodes joined this one. */
  readonly #joins: LruMap<string, number> = new LruMap(MAX_NODES);

  /** Records the offset at which a session left. */
  recordDeparture(session: string, offset: number): void {
    this.#departures.set(session, offset);
  }

  /** The offset at which a session last left; 0 if it never did. */
  departedAt(session: string): number {
    return this.#departures.get(session) ?? 0;
  }

  /** Records the offset at which another node joined this one. */
  recordJoin(node: string, offset: number): void {
    this.#joins.set(node, offset);
  }

  /** The offset at which another node joined this one; 0 if it did not. */
  joinedAt(node: string): number {
    return this.#joins.get(node) ?? 0;
  }

  /** Records a broadcast. */
  observe({ node, seq }: BroadcastId): void {
    setMax(this.#seen, node, seq);
  }

  /** Records that a broadcast was trimmed. */
  trim({ node, seq }: BroadcastId): void {
    setMax(this.#trimmed, node, seq);
  }

  /**
   * The last broadcast of each sender.
   *
   * @param session Also those that this session has brought along, and that
   * have not arrived here.
   */
  snapshot(session?: string): Record<string, number> {
    const snapshot = new Map(this.#seen);
    const { ahead = {} } = this.#arrivals.get(session ?? "") ?? {};
    for (const [node, seq] of Object.entries(ahead)) {
      snapshot.set(node, Math.max(seq, snapshot.get(node) ?? 0));
    }
    return Object.fromEntries(snapshot);
  }

  /**
   * Returns whether another node has received more broadcasts of some senders.
   */
  isBehind(
    nodes: readonly string[],
    known: Readonly<Record<string, number>>,
  ): boolean {
    return nodes.some((node) =>
      Object.hasOwn(known, node) && known[node]! > (this.#seen.get(node) ?? 0)
    );
  }

  /**
   * Returns whether a broadcast is newer than those that another node had
   * received.
   */
  isAfter(
    { node, seq }: BroadcastId,
    known: Readonly<Record<string, number>>,
  ): boolean {
    return !Object.hasOwn(known, node) || seq > known[node]!;
  }

  /**
   * Returns whether a broadcast was trimmed that another node had not received.
   */
  hasGap(known: Readonly<Record<string, number>>): boolean {
    return Object.entries(known).some(([node, count]) =>
      count < (this.#trimmed.get(node) ?? 0)
    );
  }

  /**
   * Records that a session arrived with an event ID of another node, and its
   * position here.
   *
   * @param session The session.
   * @param from The event ID.
   * @param to The position here.
   * @param known The last broadcast of each sender that its events include.
   */
  recordArrival(
    session: string,
    from: string,
    to: string,
    known: Readonly<Record<string, number>>,
  ): void {
    const ahead = Object.fromEntries(
      Object.entries(known).filter(([node, seq]) =>
        seq > (this.#seen.get(node) ?? 0)
      ),
    );
    this.#arrivals.set(session, { from, to, ahead });
  }

  /** Forgets the arrival of a session. */
  forgetArrival(session: string): void {
    this.#arrivals.delete(session);
  }

  /**
   * Translates an event ID of the node that a session came from into one of
   * this log.
   */
  translate(session: string, position: string): string {
    const arrival = this.#arrivals.get(session);
    return arrival?.from === position ? arrival.to : position;
  }
}

function setMax(
  sequences: LruMap<string, number>,
  node: string,
  count: number,
): void {
  const newest = Math.max(count, sequences.get(node) ?? 0);
  sequences.set(node, newest);
}
