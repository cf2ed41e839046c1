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

/** A message that waits until the owners of its sessions are known. */
interface DeferredSend {
  readonly length: number;
  readonly ids: readonly string[];
  readonly send: (byNode: ReadonlyMap<string, string[]>) => void;
}

/** The maximum length of all deferred messages, in characters. */
const MAX_DEFERRED_LENGTH = 67_108_864;
/** How often a message may be forwarded while its session moves. */
const MAX_HOPS = 3;

/**
 * Delivery without a shared log: each node sends its frames to the others, and
 * writes them to its own streams at once. Missed events are on the node that
 * the client left.
 */
export class DirectDelivery implements Delivery {
  readonly #node: ClusterNode;
  readonly #engine: StreamEngine;
  readonly #directory: SessionDirectory;
  readonly #takeover: SessionTakeover;
  /**
   * Sequence number of the last broadcast. Starts above those of any earlier
   * node of this name.
   */
  #broadcastSeq = Date.now() * 1_000;
  /**
   * A lookup of owners in progress. Later messages wait, so that order is kept.
   */
  #pendingLookup: Promise<void> | undefined;
  #deferred: DeferredSend[] = [];
  #deferredLength = 0;

  /**
   * @param node This node.
   * @param engine The streams and replay log of this node.
   * @param directory Knows the owners of sessions.
   * @param startEventIdOf The newest event here when a session began.
   */
  constructor(
    node: ClusterNode,
    engine: StreamEngine,
    directory: SessionDirectory,
    startEventIdOf: (id: string) => string | undefined,
  ) {
    this.#node = node;
    this.#engine = engine;
    this.#directory = directory;
    this.#takeover = new SessionTakeover(
      node,
      engine,
      directory,
      startEventIdOf,
    );
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

  send(recipients: SessionIds, data: string): void | Promise<void> {
    if (recipients !== undefined) return this.#sendTo(recipients, data, 0);
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

  needsResume(id: string, intent: StreamIntent | undefined): boolean {
    if (!this.#engine.log || intent?.lastEventId === undefined) return false;
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
    const local = ids.filter((id) => this.#directory.isLocal(id));
    if (local.length > 0) this.#engine.send(local, data);
    if (local.length === ids.length || hops > MAX_HOPS) return;
    const sendToOwners = (byNode: ReadonlyMap<string, string[]>) => {
      for (const [node, sessions] of byNode) {
        this.#node.send(node, { kind: "send", sessions, data, hops });
      }
    };
    if (this.#pendingLookup !== undefined) {
      this.#sendAfterLookup({
        ids,
        length: data.length + 40 * ids.length,
        send: sendToOwners,
      });
      return this.#whenLookedUp();
    }
    const grouped = this.#directory.groupByOwner(ids);
    if (!(grouped instanceof Promise)) return sendToOwners(grouped);
    this.#pendingLookup = this.#runLookup(grouped.then(sendToOwners));
    return this.#whenLookedUp();
  }

  /** Resolves when the lookup has ended, or after a timeout. */
  async #whenLookedUp(): Promise<void> {
    if (this.#pendingLookup === undefined) return;
    await waitAtMost(this.#pendingLookup, this.#node.requestTimeoutMs);
  }

  #sendAfterLookup(message: DeferredSend): void {
    this.#deferred.push(message);
    this.#deferredLength += message.length;
    if (this.#deferredLength <= MAX_DEFERRED_LENGTH) return;
    this.#node.report(
      new ClusterError(
        `${this.#deferred.length} messages to other nodes were dropped, because ` +
          "looking up the owners of their sessions takes too long.",
      ),
    );
    this.#deferred = [];
    this.#deferredLength = 0;
  }

  /** Sends the messages that were deferred during a lookup, in order. */
  async #runLookup(lookup: Promise<void>): Promise<void> {
    await lookup;
    while (this.#deferred.length > 0) {
      const message = this.#deferred;
      this.#deferred = [];
      this.#deferredLength = 0;
      const ids = new Set(message.flatMap(({ ids }) => ids));
      const owners = new Map<string, string>();
      for (const [node, sessions] of await this.#directory.groupByOwner(ids)) {
        for (const id of sessions) owners.set(id, node);
      }
      for (const { ids, send } of message) {
        send(groupByNode(ids, (id) => owners.get(id)));
      }
    }
    this.#pendingLookup = undefined;
  }
}
