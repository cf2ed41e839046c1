import { ClusterError } from "../../errors.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import type { StreamIntent } from "../../streams/pending_streams.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import { groupByNode } from "../directory/by_node.ts";
import type { Delivery, ResumeResult } from "./delivery.ts";
import type { SessionIds } from "./event_log.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type { SessionDirectory } from "../directory/session_directory.ts";
import { SessionTakeover } from "./session_takeover.ts";

/** What is told when it is known where sessions are. */
interface DeferredSend {
  readonly length: number;
  readonly ids: readonly string[];
  readonly send: (byNode: ReadonlyMap<string, string[]>) => void;
}

/** How much waits for that, in characters. */
const MAX_DEFERRED_LENGTH = 67_108_864;
/** How often a text may be passed on whose session moves at the same time. */
const MAX_HOPS = 3;

/**
 * Each node tells the others its texts, and writes them to its own streams at once.
 * What clients may have missed, the node keeps that they were on.
 */
export class DirectDelivery implements Delivery {
  readonly #node: ClusterNode;
  readonly #engine: StreamEngine;
  readonly #directory: SessionDirectory;
  readonly #takeover: SessionTakeover;
  /** No earlier one of this node's name has counted as far. */
  #broadcastSeq = Date.now() * 1_000;
  /** While it is looked where sessions are; what comes meanwhile is told after it. */
  #pendingLookup: Promise<void> | undefined;
  #deferred: DeferredSend[] = [];
  #deferredLength = 0;

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
    this.#takeover = new SessionTakeover(node, engine, directory, since);
    node.handle("send", ({ sessions, data, seq, hops = 0 }, from) => {
      if (sessions !== undefined) {
        void this.#sendTo(sessions, data, hops + 1);
        return;
      }
      engine.send(undefined, data, { node: from, seq: seq ?? 0 });
    });
    node.listen({
      onPeerSubscribed: (name) =>
        node.send(name, { kind: "broadcastSeq", seq: this.#broadcastSeq }),
    });
    node.handle("broadcastSeq", ({ seq }, from) => {
      engine.log?.seedSequence({ node: from, seq });
    });
  }

  get latestEventId(): string | undefined {
    return this.#engine.log?.latestEventId;
  }

  send(audience: SessionIds, data: string): void | Promise<void> {
    if (audience !== undefined) return this.#sendTo(audience, data, 0);
    const broadcastId = {
      node: this.#node.name,
      seq: ++this.#broadcastSeq,
    };
    this.#engine.send(undefined, data, broadcastId);
    const send = () =>
      this.#node.broadcast({ kind: "send", data, seq: broadcastId.seq });
    if (this.#pendingLookup === undefined) send();
    else this.#sendAfterLookup({ ids: [], length: data.length, send });
  }

  needsResume(id: string, expected: StreamIntent | undefined): boolean {
    if (!this.#engine.log || expected?.lastEventId === undefined) return false;
    return !this.#directory.isLocal(id) || this.#takeover.has(id);
  }

  async resume(
    id: string,
    { lastEventId, startEventId }: StreamIntent = {},
  ): Promise<ResumeResult> {
    if (lastEventId === undefined) return {};
    return {
      reset: await this.#takeover.start(id, { lastEventId, startEventId }),
    };
  }

  #sendTo(
    sessions: readonly string[],
    data: string,
    hops: number,
  ): void | Promise<void> {
    const ids = sessions.length === 1 ? sessions : [...new Set(sessions)];
    const here = ids.filter((id) => this.#directory.isLocal(id));
    if (here.length > 0) this.#engine.send(here, data);
    if (here.length === ids.length || hops > MAX_HOPS) return;
    const tell = (byNode: ReadonlyMap<string, string[]>) => {
      for (const [node, sessions] of byNode) {
        this.#node.send(node, { kind: "send", sessions, data, hops });
      }
    };
    if (this.#pendingLookup !== undefined) {
      this.#sendAfterLookup({
        ids,
        length: data.length + 40 * ids.length,
        send: tell,
      });
      return this.#whenLookedUp();
    }
    const located = this.#directory.groupByOwner(ids);
    if (!(located instanceof Promise)) return tell(located);
    this.#pendingLookup = this.#runLookups(located.then(tell));
    return this.#whenLookedUp();
  }

  /** Resolves when it is known where sessions are, or that takes too long. */
  async #whenLookedUp(): Promise<void> {
    if (this.#pendingLookup === undefined) return;
    await waitAtMost(this.#pendingLookup, this.#node.requestTimeoutMs);
  }

  #sendAfterLookup(later: DeferredSend): void {
    this.#deferred.push(later);
    this.#deferredLength += later.length;
    if (this.#deferredLength <= MAX_DEFERRED_LENGTH) return;
    this.#node.report(
      new ClusterError(
        `${this.#deferred.length} texts to other nodes were dropped: it takes too ` +
          "long to find where their sessions are.",
      ),
    );
    this.#deferred = [];
    this.#deferredLength = 0;
  }

  /** Tells what came while it was looked where sessions are, in its order. */
  async #runLookups(told: Promise<void>): Promise<void> {
    await told;
    while (this.#deferred.length > 0) {
      const later = this.#deferred;
      this.#deferred = [];
      this.#deferredLength = 0;
      const ids = new Set(later.flatMap(({ ids }) => ids));
      const owners = new Map<string, string>();
      for (const [node, sessions] of await this.#directory.groupByOwner(ids)) {
        for (const id of sessions) owners.set(id, node);
      }
      for (const { ids, send } of later) {
        send(groupByNode(ids, (id) => owners.get(id)));
      }
    }
    this.#pendingLookup = undefined;
  }
}
