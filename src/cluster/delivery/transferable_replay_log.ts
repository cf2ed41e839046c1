import type { ResetReason } from "../../contracts/options.ts";
import { withSseId } from "../../protocol/sse.ts";
import type { Recipients } from "../../replay/recipients.ts";
import type { BroadcastId, Entry } from "../../replay/entry.ts";
import { ReplayLog, type Resumption } from "../../replay/replay_log.ts";
import { VersionVector } from "./version_vector.ts";

/** The events that a session has missed, on their way to another node. */
export interface MissedEvents {
  readonly frames: readonly string[];
  /** The last broadcast of each sender that these events include or precede. */
  readonly versionVector: Readonly<Record<string, number>>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * The replay log of one of several nodes. When a session moves, the events that
 * its client has missed are transferred from the log of one node to that of
 * another. Broadcasts are in all logs, so only those are transferred that the
 * other node has not received.
 */
export class TransferableReplayLog extends ReplayLog {
  readonly #versions = new VersionVector();

  override append(
    recipients: Recipients,
    frame: Uint8Array<ArrayBuffer>,
    now: number,
    broadcastId?: BroadcastId,
  ): void {
    if (broadcastId !== undefined) this.#versions.observe(broadcastId);
    super.append(recipients, frame, now, broadcastId);
  }

  override after(
    resumption: Resumption,
    now: number,
  ): Uint8Array<ArrayBuffer>[] | ResetReason {
    const { session, lastEventId } = resumption;
    const translated = this.#versions.translate(session, lastEventId);
    return super.after({ ...resumption, lastEventId: translated }, now);
  }

  /**
   * Exports the events that a session has missed, because it moves to another
   * node. Afterwards they count as trimmed here.
   */
  exportMissed(
    resumption: Resumption,
    now: number,
  ): MissedEvents | ResetReason {
    const missed = this.after(resumption, now);
    const versionVector = this.#versions.snapshot(resumption.session);
    this.markHandedOff(resumption.session);
    return typeof missed === "string" ? missed : {
      frames: missed.map((frame) => decoder.decode(frame)),
      versionVector,
    };
  }

  /**
   * Imports the events that a session has missed on another node, and adds the
   * broadcasts that were sent since then.
   *
   * @param resumption The client. Its start event ID is one of this node.
   * @param missed The events.
   * @param from The node that they come from.
   * @param now The current time.
   * @returns A reason if the result would have a gap.
   */
  importMissed(
    resumption: Resumption,
    missed: MissedEvents,
    from: string,
    now: number,
  ): ResetReason | undefined {
    const { session, lastEventId, startEventId } = resumption;
    const { versionVector } = missed;
    if (this.#versions.hasGap(versionVector)) return "purged";
    // Earlier events were received here before, or are part of `missed`.
    const start = Math.max(
      this.startOffset(startEventId),
      this.handedOffAt(session),
      this.#versions.departedAt(session),
    );
    const joinedAt = this.#versions.joinedAt(from);
    const broadcastsSince = this.entriesAfter(resumption, start).filter((
      { broadcastId, offset },
    ) => {
      if (broadcastId === undefined) return true;
      // What a sender sent that was gone before the other node started.
      const isOlder = offset <= joinedAt &&
        !Object.hasOwn(versionVector, broadcastId.node);
      return !isOlder && this.#versions.isAfter(broadcastId, versionVector);
    });
    const frames = [
      ...missed.frames,
      ...broadcastsSince.map(({ frame }) => decoder.decode(frame)),
    ];
    this.#versions.recordArrival(
      session,
      lastEventId,
      this.latestEventId,
      versionVector,
    );
    for (const frame of frames) {
      const bytes = encoder.encode(withSseId(frame, this.nextEventId));
      this.append(session, bytes, now);
    }
    return undefined;
  }

  /** Records that another node joined this one: it gets later broadcasts. */
  markJoined(node: string): void {
    this.#versions.recordJoin(node, this.lastOffset);
  }

  /** Records that broadcasts of a node up to this one will not arrive here. */
  seedSequence(broadcastId: BroadcastId): void {
    this.#versions.observe(broadcastId);
    this.#versions.trim(broadcastId);
  }

  /**
   * Returns whether broadcasts that a session brings along have not arrived
   * here yet. They would be delivered twice.
   */
  isBehind(nodes: readonly string[], { versionVector }: MissedEvents): boolean {
    return this.#versions.isBehind(nodes, versionVector);
  }

  /**
   * Records that a session left: the events up to now are not new to it if it
   * returns.
   */
  markDeparted(session: string): void {
    this.#versions.recordDeparture(session, this.lastOffset);
  }

  /** Records that no stored event belongs to a session any more. */
  markHandedOff(session: string): void {
    this.#versions.forgetArrival(session);
    this.forget(session);
  }

  protected override onTrimmed({ broadcastId }: Entry): void {
    if (broadcastId !== undefined) this.#versions.trim(broadcastId);
  }
}
