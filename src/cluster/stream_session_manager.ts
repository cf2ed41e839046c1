import { safeCallback } from "../runtime/callbacks.ts";
import type { DeliveryError } from "../errors.ts";
import type { StreamIntent } from "../streams/pending_streams.ts";
import type { EventHistory } from "../streams/stream_start.ts";
import { assertMessage, StreamEngine } from "../streams/stream_engine.ts";
import type {
  CloseOptions,
  ErrorReportingOptions,
  StreamEventOptions,
  StreamOptions,
} from "../contracts/options.ts";
import {
  objectOption,
  type ReplaySettings,
  resolveStreamOptions,
} from "../contracts/resolve_options.ts";
import type { StreamStats } from "../contracts/stats.ts";
import { StreamSessionManager } from "../contracts/stream_session_manager.ts";
import { PendingTakeovers } from "./delivery/pending_takeovers.ts";
import type { Delivery } from "./delivery/delivery.ts";
import type { EventLog } from "./delivery/event_log.ts";
import { ReplicatedDirectory } from "./directory/replicated_directory.ts";
import { LogDelivery } from "./delivery/log_delivery.ts";
import type { ClusterNode } from "./membership/cluster_node.ts";
import { DetachedSessions } from "./directory/detached_sessions.ts";
import type { SessionDirectory } from "./directory/session_directory.ts";
import { DirectDelivery } from "./delivery/direct_delivery.ts";

/** Options of a manager of streams on several nodes. */
export interface ClusterStreamSessionManagerOptions
  extends StreamOptions, ErrorReportingOptions, StreamEventOptions {
  /**
   * The position of this node's events when it heard of a session: what was sent to
   * everyone before is not for it.
   *
   * @default undefined everything that is kept is for every session
   */
  readonly startEventId?: ((id: string) => string | undefined) | undefined;
}

/** What nodes share besides a bus; without it each has its own, and tells. */
export interface SharedStores {
  /** Makes what knows where sessions are. */
  readonly directory: (
    onClaimed: (id: string, wasHere: boolean) => void,
  ) => SessionDirectory;
  /** Makes what keeps events, for replay. */
  readonly log: (settings: ReplaySettings) => EventLog;
}

/**
 * Holds the streams of this node, and reaches those of all others.
 *
 * `send` goes once to every other node, or only to those that hold a session it
 * names. The streams of this node get it at once, those of others after its turn of
 * the event loop. `create` and `delete` resolve when the other nodes know.
 *
 * With `replay`, a client may come back to another node than the one it left: that
 * one hands over what the client has missed. It keeps it for as long as
 * `replay.maxAgeMs` after the stream has ended, and as long as it lives.
 */
export class ClusterStreamSessionManager extends StreamSessionManager {
  readonly #node: ClusterNode;
  readonly #engine: StreamEngine;
  readonly #directory: SessionDirectory;
  readonly #takeovers: PendingTakeovers;
  readonly #delivery: Delivery;
  /** Sessions that keep their home, where there is something to come back for. */
  readonly #detachedSessions: DetachedSessions | undefined;
  /** Sessions that are about to be deleted. */
  readonly #leaving: Set<string> = new Set();
  #isClosed = false;

  /**
   * Makes a manager without streams, before its node starts.
   *
   * @param node Knows the other nodes.
   * @param options Limits of this node, and who is told of what.
   * @param stores What the nodes share besides their bus.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(
    node: ClusterNode,
    options?: ClusterStreamSessionManagerOptions,
    stores?: SharedStores,
  ) {
    super();
    const { onError, onEvict, onReset, startEventId } = objectOption(
      "options",
      options,
    );
    const settings = resolveStreamOptions(options);
    const report = safeCallback("onError", onError);
    const { scheduler } = node;
    const { replay } = settings;
    const log = replay && stores?.log(replay);
    this.#node = node;
    this.#engine = new StreamEngine(
      {
        ...settings,
        replay: log === undefined ? replay : undefined,
      },
      {
        onError: (error) => {
          const { sessionId = "" } = error as Partial<DeliveryError>;
          // A client that has left wants nothing any more: that is no failure.
          if (!this.#leaving.has(sessionId)) report(error);
        },
        onEvict: safeCallback("onEvict", onEvict),
        onReset: safeCallback("onReset", onReset),
        onDetach: (id) => this.#detached(id),
      },
      scheduler,
      log && eventHistoryOf(log),
    );
    const onClaimed = (id: string, wasHere: boolean) =>
      this.#claimedElsewhere(id, wasHere);
    this.#directory = stores?.directory(onClaimed) ??
      new ReplicatedDirectory(node, onClaimed);
    this.#takeovers = new PendingTakeovers(this.#engine);
    this.#delivery = log === undefined
      ? new DirectDelivery(
        node,
        this.#engine,
        this.#directory,
        startEventId ?? (() => undefined),
      )
      : new LogDelivery(log, this.#engine, this.#takeovers, this.#directory);
    this.#detachedSessions = replay &&
      new DetachedSessions(
        replay.maxAgeMs,
        scheduler,
        (id) => this.#release(id),
      );
    this.#listen();
  }

  /**
   * Attaches a stream to a session. The latest stream wins: an older one of the
   * session is ended, on whichever node it is. Resolves when the other nodes know,
   * and with replay when the stream has what its client missed elsewhere.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param controller The controller of the stream to write to.
   * @throws {InvalidArgumentError} For an id or a controller that is none.
   * @throws {SessionLimitError} When `maxSessions` streams are attached to this
   * node already.
   * @throws {ClosedError} After the manager was closed.
   */
  override create(
    id: string,
    controller: ReadableStreamDefaultController,
  ): Promise<void> {
    this.#engine.assertCanAttach(id, controller);
    if (this.#delivery.needsResume(id, this.#engine.pendingStream(id))) {
      return this.#takeOver(
        id,
        controller,
        this.#engine.takePendingStream(id) ?? {},
      );
    }
    this.#takeovers.end(id);
    this.#engine.create(id, controller);
    return this.#claimed(id);
  }

  /**
   * Prepares for the next `create` of a session on this node, see
   * `InMemoryStreamSessionManager.expect`. `sessions.guard` does this for every GET.
   *
   * @param id The session.
   * @param expectation What is known of the stream.
   * @returns Takes it back, if no stream was created.
   * @throws {InvalidArgumentError} For an id that is none.
   * @throws {SessionLimitError} When `maxSessions` streams are attached already.
   * @throws {ClosedError} After the manager was closed.
   */
  prepareStream(id: string, expectation: StreamIntent = {}): () => void {
    return this.#engine.prepareStream(id, expectation);
  }

  /** The id of the newest event of this node; `undefined` without replay. */
  get latestEventId(): string | undefined {
    return this.#delivery.latestEventId;
  }

  /**
   * Detaches a session and closes its stream, on whichever node it is. An unknown id
   * changes nothing. Resolves when the other nodes know.
   *
   * @param id The session.
   */
  override async delete(id: string): Promise<void> {
    await this.#deliverTo(id);
    const arrived = this.#takeovers.end(id);
    if (arrived || this.#engine.has(id)) {
      this.#engine.delete(id);
      if (arrived) this.#detached(id);
      return await this.#directory.flushed();
    }
    if (this.#isClosed) return;
    const found = await this.#directory.findOwner(id);
    if (found?.isDetached || found?.node === this.#node.name) return;
    const nodes = found && [found.node];
    await this.#node.requestAny({ kind: "delete", id }, { nodes });
  }

  /**
   * Tells whether a stream is attached to a session, on whichever node, other than
   * one that is expected to be replaced on this node. Only for a session that no node
   * is known to hold are the others asked.
   *
   * @param id The session.
   */
  override async has(id: string): Promise<boolean> {
    const expected = this.#engine.pendingStream(id);
    if (expected !== undefined) return expected.isPlaceholder === true;
    if (this.#engine.has(id)) return true;
    if (this.#isClosed) return false;
    const found = await this.#directory.findOwner(id);
    if (found !== undefined) return !found.isDetached && !found.isDown;
    if (this.#directory.isComplete) return false;
    return await this.#node.requestAny({ kind: "has", id });
  }

  /**
   * Whether any node is known to hold a stream of a session, also one that is taken
   * for dead and may come back. Nobody is asked.
   *
   * @param id The session.
   */
  async isAttached(id: string): Promise<boolean> {
    const found = await this.#directory.findOwner(id);
    return found !== undefined && !found.isDetached;
  }

  /**
   * Writes the same text to sessions, on whichever nodes they are. See
   * `InMemoryStreamSessionManager.send` for what each node does.
   *
   * @param sessions The sessions; `undefined` means everyone, `[]` nobody.
   * @param data One or more complete SSE frames. Nothing is written for `""`.
   * @throws {InvalidArgumentError} When `data` is no string or `sessions` neither
   * an array nor `undefined`; nobody got anything then.
   */
  override send(
    sessions: string[] | undefined,
    data: string,
  ): void | Promise<void> {
    assertMessage(sessions, data);
    if (data === "" || sessions?.length === 0 || this.#isClosed) return;
    return this.#delivery.send(sessions, data);
  }

  /** What this node has counted so far. It costs a look at each stream. */
  stats(): StreamStats {
    const stats = this.#engine.stats();
    return { ...stats, attached: stats.attached + this.#takeovers.size };
  }

  /**
   * Closes every stream of this node, at once or little by little. A later `create`
   * is refused. The streams of other nodes go on.
   *
   * @param options Whether to take time for it.
   * @throws {InvalidArgumentError} For an option that is out of range; as a
   * rejected promise.
   */
  async close(options?: CloseOptions): Promise<void> {
    await this.#delivery.flushed?.();
    this.#takeovers.close();
    await this.#engine.close(options);
    this.#isClosed = true;
    this.#detachedSessions?.close();
  }

  /** Forgets what is kept for a session that will not come back. */
  forget(id: string): void {
    if (this.#detachedSessions?.delete(id)) this.#release(id);
  }

  #listen(): void {
    const node = this.#node;
    node.respond("has", ({ id }) => this.#isAttachedOrPending(id));
    node.respond("delete", async ({ id }) => {
      if (!this.#isAttachedOrPending(id)) return false;
      await this.delete(id);
      return true;
    });
  }

  /** Has a session that is about to be deleted get what was sent before. */
  async #deliverTo(id: string): Promise<void> {
    if (
      this.#delivery.flushed === undefined || !this.#isAttachedOrPending(id)
    ) return;
    this.#leaving.add(id);
    try {
      await this.#delivery.flushed();
    } finally {
      this.#leaving.delete(id);
    }
  }

  #isAttachedOrPending(id: string): boolean {
    return this.#engine.has(id) || this.#takeovers.has(id);
  }

  async #claimed(id: string): Promise<void> {
    this.#detachedSessions?.delete(id);
    await this.#directory.claim(id);
    // It may have failed with the first that was written to it.
    if (!this.#engine.has(id)) this.#detached(id);
    await this.#directory.flushed();
  }

  /** A stream whose client may have missed something on another node. */
  async #takeOver(
    id: string,
    controller: ReadableStreamDefaultController,
    expected: StreamIntent,
  ): Promise<void> {
    const attach = this.#takeovers.start(id, controller, expected);
    this.#detachedSessions?.delete(id);
    attach(await this.#delivery.resume(id, expected));
    if (!this.#isAttachedOrPending(id)) this.#detached(id);
    await this.#directory.flushed();
  }

  /** A stream of this node has ended. */
  #detached(id: string): void {
    if (!this.#directory.isLocal(id) || this.#takeovers.has(id)) return;
    if (this.#detachedSessions === undefined) {
      return this.#directory.release(id);
    }
    this.#directory.detach(id);
    this.#detachedSessions.add(id);
  }

  /** Another node has claimed a session. */
  #claimedElsewhere(id: string, wasHere: boolean): void {
    // Also one that a drain has ended: its late cancel must not reach the newer one.
    this.#engine.replace(id);
    if (!wasHere) return;
    this.#detachedSessions?.delete(id);
    this.#takeovers.end(id);
    this.#engine.log?.markDeparted(id);
  }

  #release(id: string): void {
    this.#directory.release(id);
    // What is sent to it from now on is nowhere kept.
    this.#engine.log?.markHandedOff(id);
  }
}

/** What is kept in a log, for streams of which all is known when they start. */
function eventHistoryOf(log: EventLog): EventHistory {
  return {
    get latestEventId(): string {
      return log.latestEventId ?? "";
    },
    after: () => "unknown",
  };
}
