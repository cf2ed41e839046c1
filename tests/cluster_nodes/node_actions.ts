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

/** Options of a node that go to another thread or process. */
export type NodeOptions = Omit<
  ClusterNodeOptions,
  "onError" | "onEvict" | "onReset"
>;

/** One of several nodes that share their sessions, over whatever carries them. */
export interface NodeSessions extends TestableClusterNode {
  stats(): ClusterSessionsStats;
}

/** Makes a node of a cluster, where it is to be. */
export type MakeNode = (
  name: string,
  options: ClusterNodeOptions,
) => NodeSessions | Promise<NodeSessions>;

/** What a node told of. */
export interface Reports {
  readonly errors: string[];
  readonly evicted: [id: string, reason: EvictionReason][];
  readonly resets: [id: string, reason: ResetReason][];
}

/** What a node does of which no manager knows. It runs where the node is. */
export class NodeActions {
  /** What the streams of this node get, by their names. */
  readonly collectors: Map<string, EventCollector> = new Map();
  readonly #reports: Reports = { errors: [], evicted: [], resets: [] };
  readonly #make: MakeNode;
  readonly #leave: () => void;
  #sessions: NodeSessions | undefined;

  /**
   * @param make Makes the node.
   * @param leave Lets the thread or process end once nothing else holds it.
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

  /** Becomes a node of a cluster. */
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

  /** What was counted so far. */
  stats(): ClusterSessionsStats {
    return this.sessions.stats();
  }

  /** What it told of so far. */
  reports(): Reports {
    return this.#reports;
  }

  /** Opens the stream of a session, which goes by a name of its own if it is given. */
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

  /** The texts that a stream got, once they are as many, or it has ended. */
  async received(name: string, count: number = 0): Promise<string[]> {
    const collector = this.#collector(name);
    const { events } = collector;
    await collector.until(() => events.length >= count);
    return events.map(({ data }) => data);
  }

  /** The texts that a stream got, once these are among them, or it has ended. */
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

  /** How many texts some streams got, all together. */
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

  /** How a stream ends, once it does. */
  async end(name: string): Promise<StreamState> {
    const collector = this.#collector(name);
    await collector.until(() => false);
    return collector.state;
  }

  /** The client of a stream goes away. */
  async leave(name: string): Promise<void> {
    await this.#collector(name).cancel();
  }

  /** Lets the event loop stand still. */
  block(ms: number): void {
    // Asleep: a loop would take the time of the other threads as well.
    const never = new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(never, 0, 0, ms);
  }

  /** Ends the sessions. */
  async close(options?: CloseOptions): Promise<void> {
    await this.sessions.close(options);
  }

  /** Stays for no more calls: it ends by itself where nothing is left behind. */
  hangUp(): void {
    this.#leave();
  }

  #collector(name: string): EventCollector {
    const collector = this.collectors.get(name);
    if (collector === undefined) throw new Error(`No stream named "${name}".`);
    return collector;
  }
}
