import { formatSseEvent } from "../../protocol/sse.ts";
import type { PendingStream } from "../../streams/pending_streams.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import { isBroadcast, type SendTarget } from "../../replay/recipients.ts";
import type { TransferableReplayLog } from "./transferable_replay_log.ts";
import { groupByNode } from "../directory/by_node.ts";
import type { SessionDirectory } from "../directory/session_directory.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type { Delivery, ResumeResult } from "./delivery.ts";
import { OwnerLookups } from "./owner_lookups.ts";
import { RemovalResets } from "./removal_resets.ts";
import { SessionTakeover } from "./session_takeover.ts";

/** How often a message may be forwarded while its session moves. */
const MAX_HOPS = 3;

/**
 * Delivery without a shared log: each node sends its frames to the others, and
 * writes them to its own streams at once. Missed events are on the node that
 * the client left.
 */
export class DirectDelivery implements Delivery {
  readonly #node: ClusterNode;
  readonly #engine: StreamEngine<TransferableReplayLog>;
  readonly #directory: SessionDirectory;
  readonly #lookups: OwnerLookups;
  readonly #takeover: SessionTakeover;
  /**
   * Sequence number of the last broadcast. Starts above those of any earlier
   * node of this name.
   */
  #broadcastSeq = Date.now() * 1_000;

  /**
   * @param node This node.
   * @param engine The streams and replay log of this node.
   * @param directory Knows the owners of sessions.
   * @param startEventIdOf Returns the newest event here when a session began.
   */
  constructor(
    node: ClusterNode,
    engine: StreamEngine<TransferableReplayLog>,
    directory: SessionDirectory,
    startEventIdOf: (id: string) => string | undefined,
  ) {
    this.#node = node;
    this.#engine = engine;
    this.#directory = directory;
    this.#lookups = new OwnerLookups(node, directory);
    this.#takeover = new SessionTakeover(
      node,
      engine,
      directory,
      startEventIdOf,
    );
    node.handle(
      "send",
      ({ sessions, transport, data, seq = 0, hops = 0 }, from) => {
        if (sessions === undefined) {
          const target = transport === undefined ? undefined : { transport };
          engine.send(target, data, { node: from, seq });
        } else void this.#sendTo(sessions, data, hops + 1);
      },
    );
    node.listen({
      onLost: (from, { sessions, seq }) => {
        const data = JSON.stringify({ reason: "purged" });
        const frame = formatSseEvent({ event: "reset", data });
        // The log keeps it, for clients that are disconnected.
        engine.send(
          sessions,
          frame,
          seq === undefined ? seq : { node: from, seq },
        );
        engine.countResets("purged", sessions);
      },
    });
    const removalResets = new RemovalResets(
      node.scheduler,
      node.downAfterMs,
      () => engine.reset(undefined, this.latestEventId, "purged"),
    );
    node.listen({ onRemovedByPeer: () => removalResets.onRemoved() });
    node.handle("broadcastSeq", ({ seq }, from) => {
      engine.log?.seedSequence({ node: from, seq });
    });
    node.listen({
      onPeerSubscribed: (name) => {
        engine.log?.markJoined(name);
        node.send(name, { kind: "broadcastSeq", seq: this.#broadcastSeq });
      },
    });
  }

  get latestEventId(): string | undefined {
    return this.#engine.log?.latestEventId;
  }

  send(target: SendTarget, data: string): void | Promise<void> {
    if (!isBroadcast(target)) return this.#sendTo(target, data, 0);
    const seq = ++this.#broadcastSeq;
    this.#engine.send(target, data, { node: this.#node.name, seq });
    this.#lookups.broadcast(
      data.length,
      () => this.#node.broadcast({ kind: "send", ...target, data, seq }),
    );
  }

  needsResume(id: string, intent: PendingStream | undefined): boolean {
    if (!this.#engine.log || intent?.lastEventId === undefined) return false;
    return !this.#directory.isLocal(id) || this.#takeover.has(id);
  }

  async resume(
    id: string,
    { lastEventId, startEventId, transport }: PendingStream = {},
  ): Promise<ResumeResult> {
    if (lastEventId === undefined) return {};
    const resumption = { session: id, transport, lastEventId, startEventId };
    return { reset: await this.#takeover.start(resumption) };
  }

  /**
   * Returns the sessions without a known owner, by their witness. In a large
   * cluster, the claim of a session may still be under way to this node, but its
   * witnesses have it.
   */
  #unknown(
    ids: readonly string[],
    owners: ReadonlyMap<string, readonly string[]>,
  ): ReadonlyMap<string, string[]> {
    const { asksWitnesses } = this.#node;
    if (!asksWitnesses || this.#directory.isComplete) return new Map();
    const known = new Set([...owners.values()].flat());
    return groupByNode(
      ids.filter((id) => !known.has(id) && !this.#directory.isLocal(id)),
      (id) => this.#node.witnessesOf(id)[0],
    );
  }

  /** Writes a frame to local sessions, and sends it to the owners of others. */
  #sendTo(
    ids: readonly string[],
    data: string,
    hops: number,
  ): void | Promise<void> {
    const local = ids.filter((id) => this.#directory.isLocal(id));
    if (local.length > 0) this.#engine.send(local, data);
    if (local.length === ids.length || hops > MAX_HOPS) return;
    return this.#lookups.send(ids, data.length, (owners) => {
      const send = (to: ReadonlyMap<string, string[]>) => {
        for (const [node, sessions] of to) {
          this.#node.send(node, { kind: "send", sessions, data, hops });
        }
      };
      send(owners);
      let known = local.length;
      for (const sessions of owners.values()) known += sessions.length;
      if (known < ids.length && hops === 0) send(this.#unknown(ids, owners));
    });
  }
}
