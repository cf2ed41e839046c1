import { ClusterError } from "../../errors.ts";
import { atTheLatest } from "../../runtime/deadline.ts";
import type { StreamExpectation } from "../../streams/pending_streams.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import { byNode } from "../directory/by_node.ts";
import type { ArrivalStart, Delivery } from "./delivery.ts";
import type { Audience } from "./event_log.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type { SessionDirectory } from "../directory/session_directory.ts";
import { SessionMoves } from "./session_takeover.ts";

/** What is told when it is known where sessions are. */
interface Later {
  readonly length: number;
  readonly ids: readonly string[];
  readonly tell: (byNode: ReadonlyMap<string, string[]>) => void;
}

/** How much waits for that, in characters. */
const MAX_WAITING = 67_108_864;
/** How often a text may be passed on whose session moves at the same time. */
const MAX_HOPS = 3;

/**
 * Each node tells the others its texts, and writes them to its own streams at once.
 * What clients may have missed, the node keeps that they were on.
 */
export class ToldDelivery implements Delivery {
  readonly #node: ClusterNode;
  readonly #engine: StreamEngine;
  readonly #directory: SessionDirectory;
  readonly #moves: SessionMoves;
  /** No earlier one of this node's name has counted as far. */
  #count = Date.now() * 1_000;
  /** While it is looked where sessions are; what comes meanwhile is told after it. */
  #looking: Promise<void> | undefined;
  #later: Later[] = [];
  #length = 0;

  /**
   * @param node Knows the other nodes.
   * @param engine The streams of this node, and what it keeps.
   * @param directory Knows where sessions are.
   * @param since The position here when a session began.
   */
  constructor(
    node: ClusterNode,
    engine: StreamEngine,
    directory: SessionDirectory,
    since: (id: string) => string | undefined,
  ) {
    this.#node = node;
    this.#engine = engine;
    this.#directory = directory;
    this.#moves = new SessionMoves(node, engine, directory, since);
    node.handle("send", ({ sessions, data, count, hops = 0 }, from) => {
      if (sessions !== undefined) {
        void this.#sendTo(sessions, data, hops + 1);
        return;
      }
      engine.send(undefined, data, { node: from, count: count ?? 0 });
    });
    node.listen({
      onReader: (name) =>
        node.tell(name, { kind: "count", count: this.#count }),
    });
    node.handle("count", ({ count }, from) => {
      engine.log?.startFrom({ node: from, count });
    });
  }

  get position(): string | undefined {
    return this.#engine.log?.position;
  }

  send(audience: Audience, data: string): void | Promise<void> {
    if (audience !== undefined) return this.#sendTo(audience, data, 0);
    const origin = { node: this.#node.name, count: ++this.#count };
    this.#engine.send(undefined, data, origin);
    const tell = () =>
      this.#node.tellAll({ kind: "send", data, count: origin.count });
    if (this.#looking === undefined) tell();
    else this.#tellLater({ ids: [], length: data.length, tell });
  }

  waits(id: string, expected: StreamExpectation | undefined): boolean {
    if (!this.#engine.log || expected?.lastEventId === undefined) return false;
    return !this.#directory.isHere(id) || this.#moves.has(id);
  }

  async fetch(
    id: string,
    { lastEventId, since }: StreamExpectation = {},
  ): Promise<ArrivalStart> {
    if (lastEventId === undefined) return {};
    return { reset: await this.#moves.begin(id, { lastEventId, since }) };
  }

  #sendTo(
    sessions: readonly string[],
    data: string,
    hops: number,
  ): void | Promise<void> {
    const ids = sessions.length === 1 ? sessions : [...new Set(sessions)];
    const here = ids.filter((id) => this.#directory.isHere(id));
    if (here.length > 0) this.#engine.send(here, data);
    if (here.length === ids.length || hops > MAX_HOPS) return;
    const tell = (byNode: ReadonlyMap<string, string[]>) => {
      for (const [node, sessions] of byNode) {
        this.#node.tell(node, { kind: "send", sessions, data, hops });
      }
    };
    if (this.#looking !== undefined) {
      this.#tellLater({ ids, length: data.length + 40 * ids.length, tell });
      return this.#told();
    }
    const located = this.#directory.locate(ids);
    if (!(located instanceof Promise)) return tell(located);
    this.#looking = this.#look(located.then(tell));
    return this.#told();
  }

  /** Resolves when it is known where sessions are, or that takes too long. */
  async #told(): Promise<void> {
    if (this.#looking === undefined) return;
    await atTheLatest(this.#looking, this.#node.answerMs);
  }

  #tellLater(later: Later): void {
    this.#later.push(later);
    this.#length += later.length;
    if (this.#length <= MAX_WAITING) return;
    this.#node.report(
      new ClusterError(
        `${this.#later.length} texts to other nodes were dropped: it takes too ` +
          "long to find where their sessions are.",
      ),
    );
    this.#later = [];
    this.#length = 0;
  }

  /** Tells what came while it was looked where sessions are, in its order. */
  async #look(told: Promise<void>): Promise<void> {
    await told;
    while (this.#later.length > 0) {
      const later = this.#later;
      this.#later = [];
      this.#length = 0;
      const ids = new Set(later.flatMap(({ ids }) => ids));
      const homes = new Map<string, string>();
      for (const [node, sessions] of await this.#directory.locate(ids)) {
        for (const id of sessions) homes.set(id, node);
      }
      for (const { ids, tell } of later) {
        tell(byNode(ids, (id) => homes.get(id)));
      }
    }
    this.#looking = undefined;
  }
}
