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

/** Options of a stream manager of a cluster. */
export interface ClusterStreamSessionManagerOptions
  extends StreamOptions, ErrorReportingOptions, StreamEventOptions {
  /**
   * Returns the newest event of this node when it learned of a session. Earlier
   * broadcasts are not for the session.
   *
   * @default undefined all stored events are for every session
   */
  readonly startEventId?: ((id: string) => string | undefined) | undefined;
}

/**
 * What nodes share in addition to a bus. Without it, each node has its own, and
 * sends updates.
 */
export interface SharedStores {
  /** Creates the directory of session owners. */
  readonly directory: (
    onClaimed: (id: string, wasHere: boolean) => void,
  ) => SessionDirectory;
  /** Creates the log of events, for replay. */
  readonly log: (settings: ReplaySettings) => EventLog;
}

/**
 * Holds the streams of this node, and sends to those of all others.
 *
 * A broadcast is one message, and a targeted `send` is one message to each node
 * that holds a recipient. Streams of this node get the frame at once, others
 * after this turn of the event loop. `create` and `delete` resolve when the
 * other nodes know.
 *
 * With `replay`, a client can reconnect to another node than the one it left,
 * which hands over what the client has missed. It keeps that for
 * `replay.maxAgeMs` after the stream has ended, as long as it is alive.
 */
export class ClusterStreamSessionManager extends StreamSessionManager {
  readonly #node: ClusterNode;
  readonly #engine: StreamEngine;
  readonly #directory: SessionDirectory;
  readonly #takeovers: PendingTakeovers;
  readonly #delivery: Delivery;
  /** Sessions that keep their owner because their client may resume. */
  readonly #detachedSessions: DetachedSessions | undefined;
  /** Sessions that are about to be deleted. */
  readonly #leaving: Set<string> = new Set();
  #isClosed = false;

  /**
   * Creates a manager without streams. Its node must not have started.
   *
   * @param node This node.
   * @param options Limits and callbacks.
   * @param stores What the nodes share in addition to their bus.
   * @throws {InvalidArgumentError} If an option is invalid.
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
          // Failing to write to a client that disconnected is not an error.
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
   * Attaches a stream to a session. If the session has one on any node, the new
   * stream replaces it. Resolves when the other nodes know, and with replay
   * when the stream has what its client missed elsewhere.
   *
   * @param id The session ID: 1 to 256 characters of visible ASCII (0x21 to
   * 0x7E).
   * @param controller The controller of the stream to write to.
   * @throws {InvalidArgumentError} If the ID or the controller is invalid.
   * @throws {SessionLimitError} If this node has `maxSessions` streams.
   * @throws {ClosedError} If the manager was closed.
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
   * Prepares the next `create` of a session on this node, see
   * `InMemoryStreamSessionManager.prepareStream`. `sessions.guard` does this
   * for every GET.
   *
   * @param id The session ID.
   * @param intent What is known of the stream.
   * @returns Revokes it, if no stream was created.
   * @throws {InvalidArgumentError} If the ID is invalid.
   * @throws {SessionLimitError} If `maxSessions` is reached.
   * @throws {ClosedError} If the manager was closed.
   */
  prepareStream(id: string, intent: StreamIntent = {}): () => void {
    return this.#engine.prepareStream(id, intent);
  }

  /** The ID of the newest event of this node; `undefined` without replay. */
  get latestEventId(): string | undefined {
    return this.#delivery.latestEventId;
  }

  /**
   * Detaches a session and closes its stream, on any node. Does nothing if the
   * ID is unknown. Resolves when the other nodes know.
   *
   * @param id The session ID.
   */
  override async delete(id: string): Promise<void> {
    await this.#deliverTo(id);
    const wasPending = this.#takeovers.end(id);
    if (wasPending || this.#engine.has(id)) {
      this.#engine.delete(id);
      if (wasPending) this.#detached(id);
      return await this.#directory.flushed();
    }
    if (this.#isClosed) return;
    const owner = await this.#directory.findOwner(id);
    if (owner?.isDetached || owner?.node === this.#node.name) return;
    const nodes = owner && [owner.node];
    await this.#node.requestAny({ kind: "delete", id }, { nodes });
  }

  /**
   * Returns whether a stream is attached to a session on any node, and is not
   * about to be replaced on this one. The other nodes are only asked if no
   * owner is known.
   *
   * @param id The session ID.
   */
  override async has(id: string): Promise<boolean> {
    const intent = this.#engine.pendingStream(id);
    if (intent !== undefined) return intent.isPlaceholder === true;
    if (this.#engine.has(id)) return true;
    if (this.#isClosed) return false;
    const owner = await this.#directory.findOwner(id);
    if (owner !== undefined) return !owner.isDetached && !owner.isDown;
    if (this.#directory.isComplete) return false;
    return await this.#node.requestAny({ kind: "has", id });
  }

  /**
   * Returns whether any node is known to hold a stream of a session, including
   * nodes that are down and may come back. No node is asked.
   *
   * @param id The session ID.
   */
  async isAttached(id: string): Promise<boolean> {
    const owner = await this.#directory.findOwner(id);
    return owner !== undefined && !owner.isDetached;
  }

  /**
   * Writes a frame to sessions, on any node.
   * `InMemoryStreamSessionManager.send` describes what each node does.
   *
   * @param sessions The session IDs; `undefined` for everyone, `[]` for nobody.
   * @param data One or more complete SSE frames. Nothing is written for `""`.
   * @throws {InvalidArgumentError} If `data` is not a string, or `sessions` is
   * neither an array nor `undefined`. Nothing was written.
   */
  override send(
    sessions: string[] | undefined,
    data: string,
  ): void | Promise<void> {
    assertMessage(sessions, data);
    if (data === "" || sessions?.length === 0 || this.#isClosed) return;
    return this.#delivery.send(sessions, data);
  }

  /** Returns the counters of this node. Visits every stream. */
  stats(): StreamStats {
    const stats = this.#engine.stats();
    return { ...stats, attached: stats.attached + this.#takeovers.size };
  }

  /**
   * Closes every stream of this node, at once or one by one. Later calls of
   * `create` are refused. The streams of other nodes continue.
   *
   * @param options Whether to drain.
   * @throws {InvalidArgumentError} If an option is invalid. As a rejected
   * promise.
   */
  async close(options?: CloseOptions): Promise<void> {
    await this.#delivery.flushed?.();
    this.#takeovers.close();
    await this.#engine.close(options);
    this.#isClosed = true;
    this.#detachedSessions?.close();
  }

  /** Releases what is kept for a session that will not come back. */
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

  /** Delivers what was sent to a session before it is deleted. */
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
    // The stream may have failed at its first write.
    if (!this.#engine.has(id)) this.#detached(id);
    await this.#directory.flushed();
  }

  /**
   * Attaches a stream whose client may have missed something on another node.
   */
  async #takeOver(
    id: string,
    controller: ReadableStreamDefaultController,
    intent: StreamIntent,
  ): Promise<void> {
    const attach = this.#takeovers.start(id, controller, intent);
    this.#detachedSessions?.delete(id);
    attach(await this.#delivery.resume(id, intent));
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
    // Also a stream that a drain has ended: its late cancel must not reach the
    // newer one.
    this.#engine.replace(id);
    if (!wasHere) return;
    this.#detachedSessions?.delete(id);
    this.#takeovers.end(id);
    this.#engine.log?.markDeparted(id);
  }

  #release(id: string): void {
    this.#directory.release(id);
    // What is sent to it from now on is not kept anywhere.
    this.#engine.log?.markHandedOff(id);
  }
}

/** An event history for streams whose start comes from a shared log. */
function eventHistoryOf(log: EventLog): EventHistory {
  return {
    get latestEventId(): string {
      return log.latestEventId ?? "";
    },
    after: () => "unknown",
  };
}
