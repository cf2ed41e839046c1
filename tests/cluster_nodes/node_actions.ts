import type {
  CloseOptions,
  EvictionReason,
  ResetReason,
} from "@crossmcp/session-manager";
import type { ClusterSessionsStats } from "@crossmcp/session-manager/cluster";
import type {
  ClusterNodeOptions,
  TestableClusterNode,
} from "@crossmcp/session-manager/testing";
import { EventCollector, type StreamState } from "./event_collector.ts";

/** Options of a node that can be sent to another thread or process. */
export type NodeOptions = Omit<
  ClusterNodeOptions,
  "onError" | "onEvict" | "onReset"
>;

/** One of several nodes that share their sessions, on any backend. */
export interface NodeSessions extends TestableClusterNode {
  stats(): ClusterSessionsStats;
}

/** Creates a node of a cluster in its thread or process. */
export type MakeNode = (
  name: string,
  options: ClusterNodeOptions,
) => NodeSessions | Promise<NodeSessions>;

/** What a node reported. */
export interface Reports {
  readonly errors: string[];
  readonly evicted: [id: string, reason: EvictionReason][];
  readonly resets: [id: string, reason: ResetReason][];
}

/**
 * Operations on a node beyond those of its managers. Runs where the node is.
 */
export class NodeActions {
  /** What the streams of this node received, by their names. */
  readonly collectors: Map<string, EventCollector> = new Map();
  readonly #reports: Reports = { errors: [], evicted: [], resets: [] };
  readonly #make: MakeNode;
  readonly #leave: () => void;
  #sessions: NodeSessions | undefined;

  /**
   * @param make Creates the node.
   * @param leave Lets the thread or process end once nothing else keeps it
   * alive.
   */
  constructor(make: MakeNode, leave: () => void) {
    this.#make = make;
    this.#leave = leave;
  }

  /** The sessions of this node. */
  get sessions(): NodeSessions {
    if (this.#sessions === undefined) {
      throw new Error("The node has not joined.");
    }
    return this.#sessions;
  }

  /** Joins a cluster. */
  async join(name: string, options: NodeOptions): Promise<void> {
    const { errors, evicted, resets } = this.#reports;
    this.#sessions = await this.#make(name, {
      ...options,
      onError: (error) => errors.push(`${error.name}: ${error.message}`),
      onEvict: (id, reason) => evicted.push([id, reason]),
      onReset: (id, reason) => resets.push([id, reason]),
    });
    await this.#sessions.ready;
  }

  /** The names of the live nodes, in order. */
  nodes(): string[] {
    return this.sessions.nodes().map(({ name }) => name).sort();
  }

  /** The name of this node. */
  name(): string {
    return this.sessions.nodes().find(({ isSelf }) => isSelf)!.name;
  }

  /** The counters. */
  stats(): ClusterSessionsStats {
    return this.sessions.stats();
  }

  /** What it has reported so far. */
  reports(): Reports {
    return this.#reports;
  }

  /** Opens the stream of a session, under a name of its own if one is given. */
  async open(id: string, name: string = id): Promise<void> {
    let controller: ReadableStreamDefaultController | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (given) => {
        controller = given;
      },
      // As transports do.
      cancel: () => this.sessions.streams.delete(id),
    });
    this.collectors.set(name, new EventCollector(body));
    await this.sessions.streams.create(id, controller!);
  }

  /** Opens the streams of sessions, all in one turn. */
  async openMany(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.open(id)));
  }

  /** Waits until a stream has received this many frames, or has ended. */
  async received(name: string, count: number = 0): Promise<string[]> {
    const collector = this.#collector(name);
    const { events } = collector;
    await collector.until(() => events.length >= count);
    return events.map(({ data }) => data);
  }

  /** Waits until a stream has received these frames, or has ended. */
  async receivedAll(name: string, texts: readonly string[]): Promise<string[]> {
    const collector = this.#collector(name);
    const missing = new Set(texts);
    let seen = 0;
    await collector.until(() => {
      const { events } = collector;
      while (seen < events.length) missing.delete(events[seen++]!.data);
      return missing.size === 0;
    });
    return collector.events.map(({ data }) => data);
  }

  /** How many frames some streams have received, in total. */
  count(names: readonly string[]): number {
    return names.reduce(
      (sum, name) => sum + this.#collector(name).events.length,
      0,
    );
  }

  /** Whether streams are open, or how they ended; nothing for unknown ones. */
  states(names: readonly string[]): (StreamState | undefined)[] {
    return names.map((name) => this.collectors.get(name)?.state);
  }

  /** Waits for the end of a stream; returns how it ended. */
  async end(name: string): Promise<StreamState> {
    const collector = this.#collector(name);
    await collector.until(() => false);
    return collector.state;
  }

  /** Cancels a stream, as its client does. */
  async leave(name: string): Promise<void> {
    await this.#collector(name).cancel();
  }

  /** Blocks the event loop. */
  block(ms: number): void {
    // Sleeping: a busy loop would take time from the other threads as well.
    const never = new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(never, 0, 0, ms);
  }

  /** Closes the sessions. */
  async close(options?: CloseOptions): Promise<void> {
    await this.sessions.close(options);
  }

  /**
   * Accepts no more calls: the thread ends by itself if nothing is left behind.
   */
  hangUp(): void {
    this.#leave();
  }

  #collector(name: string): EventCollector {
    const collector = this.collectors.get(name);
    if (collector === undefined) throw new Error(`No stream named "${name}".`);
    return collector;
  }
}
