import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import type { TransferableReplayLog } from "../delivery/transferable_replay_log.ts";
import type { PendingTakeovers } from "../delivery/pending_takeovers.ts";
import { DetachedSessions } from "./detached_sessions.ts";
import type { SessionDirectory } from "./session_directory.ts";

/** Called with each session that another node claims. */
export type OnClaimed = (id: string, wasLocal: boolean) => void;

/** What {@linkcode OwnedSessions} work with. */
export interface OwnedSessionsOptions {
  /** The streams and replay log of this node. */
  readonly engine: StreamEngine<TransferableReplayLog>;
  /** Streams that wait for missed events. */
  readonly takeovers: PendingTakeovers;
  /** Creates the directory of session owners. */
  readonly directory: (onClaimed: OnClaimed) => SessionDirectory;
  /** How long to wait for clients; without it, a stream's end is final. */
  readonly replay: ReplaySettings | undefined;
  /** Runs the checks for expiry. */
  readonly scheduler: Scheduler;
}

/**
 * The life of the sessions that this node owns. A session is claimed when its
 * stream is attached, and detached when the stream ends. With replay, its
 * client may then resume for `replay.maxAgeMs`. Afterwards, or without replay,
 * the session is released.
 */
export class OwnedSessions {
  /** Knows the owners of all sessions. */
  readonly directory: SessionDirectory;
  readonly #engine: StreamEngine<TransferableReplayLog>;
  readonly #takeovers: PendingTakeovers;
  readonly #detached: DetachedSessions | undefined;

  /** @param options The streams and the directory. */
  constructor(
    { engine, takeovers, directory, replay, scheduler }: OwnedSessionsOptions,
  ) {
    this.#engine = engine;
    this.#takeovers = takeovers;
    this.directory = directory((id, wasLocal) =>
      this.#claimedElsewhere(id, wasLocal)
    );
    this.#detached = replay && new DetachedSessions(
      replay.maxAgeMs,
      scheduler,
      (id) => this.#release(id),
    );
  }

  /**
   * Returns whether a session has a stream on this node, or one that waits for
   * missed events.
   */
  hasStream(id: string): boolean {
    return this.#engine.has(id) || this.#takeovers.has(id);
  }

  /** The same on any node that is not down, as far as this one knows. */
  async isReachable(id: string): Promise<boolean> {
    if (this.hasStream(id)) return true;
    const owner = await this.directory.findOwner(id);
    return owner !== undefined && !owner.isDetached && !owner.isDown;
  }

  /**
   * Returns whether any node is known to hold a stream of a session, including
   * nodes that are down and may come back. No node is asked.
   */
  async isAttached(id: string): Promise<boolean> {
    const owner = await this.directory.findOwner(id);
    return owner !== undefined && !owner.isDetached;
  }

  /**
   * Claims a session whose stream was just attached. Resolves when the other
   * nodes know, or after a timeout.
   */
  async claim(id: string): Promise<void> {
    this.reattach(id);
    await this.directory.claim(id);
    // The stream may have failed at its first write.
    if (!this.#engine.has(id)) this.detach(id);
    await this.directory.flushed(id);
  }

  /** Keeps a session whose client has reconnected. */
  reattach(id: string): void {
    this.#detached?.delete(id);
  }

  /** Records that the stream of a session has ended on this node. */
  detach(id: string): void {
    if (!this.directory.isLocal(id) || this.#takeovers.has(id)) return;
    if (this.#detached === undefined) return this.directory.release(id);
    this.directory.detach(id);
    this.#detached.add(id);
  }

  /** Releases a detached session whose client will not come back. */
  forget(id: string): void {
    if (this.#detached?.delete(id)) this.#release(id);
  }

  /** Returns the unread bytes of a session; undefined without a stream here. */
  queuedBytes(id: string): number | undefined {
    return this.#engine.queuedBytes(id) ??
      (this.#takeovers.has(id) ? 0 : undefined);
  }

  /** Ends a session on this node, with its stream. */
  end(id: string): void {
    this.#takeovers.end(id);
    this.#engine.delete(id);
    this.detach(id);
    this.forget(id);
  }

  /** Stops waiting for clients. */
  close(): void {
    this.#detached?.close();
  }

  #claimedElsewhere(id: string, wasLocal: boolean): void {
    // Also a stream that a drain has ended: its late cancel must not reach the
    // newer one.
    this.#engine.replace(id);
    if (!wasLocal) return;
    this.#detached?.delete(id);
    this.#takeovers.end(id);
    this.#engine.log?.markDeparted(id);
  }

  #release(id: string): void {
    this.directory.release(id);
    // Later events of the session are not stored anywhere.
    this.#engine.log?.markHandedOff(id);
  }
}
