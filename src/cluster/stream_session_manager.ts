import { safeCallback } from "../runtime/callbacks.ts";
import type { DeliveryError } from "../errors.ts";
import type {
  PendingStream,
  StreamIntent,
} from "../streams/pending_streams.ts";
import { assertMessage, StreamEngine } from "../streams/stream_engine.ts";
import type { CloseOptions } from "../contracts/options.ts";
import {
  objectOption,
  resolveStreamOptions,
} from "../contracts/resolve_options.ts";
import type { StreamStats } from "../contracts/stats.ts";
import { StreamSessionManager } from "../contracts/stream_session_manager.ts";
import type { Delivery } from "./delivery/delivery.ts";
import { DirectDelivery } from "./delivery/direct_delivery.ts";
import { eventHistoryOf } from "./delivery/event_log.ts";
import { LogDelivery } from "./delivery/log_delivery.ts";
import { TransferableReplayLog } from "./delivery/transferable_replay_log.ts";
import { PendingTakeovers } from "./delivery/pending_takeovers.ts";
import { TransportStreamManager } from "../streams/transport_stream_manager.ts";
import { combinedStats } from "../requests/combined_stats.ts";
import { RequestStreams } from "../requests/request_streams.ts";
import { OwnedSessions } from "./directory/owned_sessions.ts";
import { ReplicatedDirectory } from "./directory/replicated_directory.ts";
import { RemoteStreams } from "./directory/remote_streams.ts";
import type { SessionDirectory } from "./directory/session_directory.ts";
import type { ClusterNode } from "./membership/cluster_node.ts";
import type {
  ClusterStreamSessionManagerOptions,
  SharedStores,
} from "./stream_options.ts";

/**
 * Returns the sessions that the node of a stream manager owns. The info manager
 * needs them, users don't.
 */
export let ownedSessionsOf: (
  manager: ClusterStreamSessionManager,
) => OwnedSessions;

/** The same for its streams of requests; undefined without replay. */
export let requestStreamsOf: (
  manager: ClusterStreamSessionManager,
) => RequestStreams | undefined;

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
  static {
    ownedSessionsOf = (manager) => manager.#sessions;
    requestStreamsOf = (manager) => manager.#requests;
  }

  readonly #engine: StreamEngine<TransferableReplayLog>;
  readonly #directory: SessionDirectory;
  readonly #takeovers: PendingTakeovers;
  readonly #delivery: Delivery;
  readonly #sessions: OwnedSessions;
  readonly #remote: RemoteStreams;
  readonly #requests: RequestStreams | undefined;
  /** Sessions that are about to be deleted. */
  readonly #deleting: Set<string> = new Set();
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
    const localLog = replay && new TransferableReplayLog(replay);
    const callbacks = {
      onError: (error: Error) => {
        const { sessionId = "" } = error as Partial<DeliveryError>;
        // The client may have disconnected already.
        if (!this.#deleting.has(sessionId)) report(error);
      },
      onEvict: safeCallback("onEvict", onEvict),
      onReset: safeCallback("onReset", onReset),
    };
    this.#engine = new StreamEngine(
      settings,
      { ...callbacks, onDetach: (id) => this.#sessions.detach(id) },
      scheduler,
      log === undefined ? { log: localLog } : { history: eventHistoryOf(log) },
    );
    this.#requests = localLog &&
      new RequestStreams(settings, localLog, callbacks, scheduler);
    this.#takeovers = new PendingTakeovers(this.#engine);
    this.#sessions = new OwnedSessions({
      engine: this.#engine,
      takeovers: this.#takeovers,
      directory: stores?.directory ??
        ((onClaimed) => new ReplicatedDirectory(node, onClaimed)),
      replay,
      scheduler,
    });
    this.#directory = this.#sessions.directory;
    this.#delivery = log === undefined
      ? new DirectDelivery(
        node,
        this.#engine,
        this.#directory,
        startEventId ?? (() => undefined),
      )
      : new LogDelivery(log, this.#engine, this.#takeovers, this.#directory);
    this.#remote = new RemoteStreams(
      node,
      this.#sessions,
      (id) => this.delete(id),
    );
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
    return this.#create(id, controller);
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
    await this.#flushBeforeDelete(id);
    const wasPending = this.#takeovers.end(id);
    if (wasPending || this.#engine.has(id)) {
      this.#engine.delete(id);
      if (wasPending) this.#sessions.detach(id);
      return await this.#directory.flushed(id);
    }
    if (this.#isClosed) return;
    await this.#remote.delete(id);
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
    return await this.#remote.has(id);
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
    // One session, the usual case, needs no set.
    const recipients = sessions !== undefined && sessions.length > 1
      ? [...new Set(sessions)]
      : sessions?.slice();
    return this.#delivery.send(recipients, data);
  }

  /**
   * Returns this manager as one transport sees it. A broadcast through it
   * reaches only the streams of that transport, on all nodes; everything else
   * is shared. `Sessions.forTransport` describes what for.
   *
   * @param name The name of the transport.
   * @throws {InvalidArgumentError} If the name is not a string, or is empty.
   */
  forTransport(name: string): StreamSessionManager {
    return new TransportStreamManager(name, this, {
      create: (...stream) => this.#create(...stream),
      broadcast: (streams, data) => {
        assertMessage(undefined, data);
        if (data !== "" && !this.#isClosed) {
          return this.#delivery.send(streams, data);
        }
      },
    });
  }

  /** Returns the counters of this node. Visits every stream. */
  stats(): StreamStats {
    const stats = this.#engine.stats();
    const attached = stats.attached + this.#takeovers.size;
    return combinedStats({ ...stats, attached }, this.#requests);
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
    this.#sessions.close();
  }

  #create(
    id: string,
    controller: ReadableStreamDefaultController,
    transport?: string,
  ): Promise<void> {
    this.#engine.assertCanAttach(id, controller);
    if (this.#delivery.needsResume(id, this.#engine.pendingStream(id))) {
      const intent = this.#engine.takePendingStream(id);
      return this.#takeOver(id, controller, { ...intent, transport });
    }
    this.#takeovers.end(id);
    this.#engine.create(id, controller, transport);
    return this.#sessions.claim(id);
  }

  /** Delivers what was sent to a session before it is deleted. */
  async #flushBeforeDelete(id: string): Promise<void> {
    if (!this.#delivery.flushed || !this.#sessions.hasStream(id)) return;
    this.#deleting.add(id);
    try {
      await this.#delivery.flushed();
    } finally {
      this.#deleting.delete(id);
    }
  }

  /** Attaches a stream after the events that its client has missed elsewhere. */
  async #takeOver(
    id: string,
    controller: ReadableStreamDefaultController,
    intent: PendingStream,
  ): Promise<void> {
    const attach = this.#takeovers.start(id, controller, intent);
    this.#sessions.reattach(id);
    attach(await this.#delivery.resume(id, intent));
    // The stream may have failed at its first write.
    if (!this.#sessions.hasStream(id)) this.#sessions.detach(id);
    await this.#directory.flushed(id);
  }
}
