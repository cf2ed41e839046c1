import type {
  Connecting,
  EventLog,
  EventLogListener,
  Missed,
} from "../../cluster/delivery/event_log.ts";
import type { SendTarget } from "../../replay/recipients.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import { withSseId } from "../../protocol/sse.ts";
import type { LogState, RedisComponent } from "../redis_component.ts";
import type { RedisNode } from "../redis_node.ts";
import { CatchUp } from "./catch_up.ts";
import { CoveredSends } from "./covered_sends.ts";
import { DeliveredEvents } from "./delivered_events.ts";
import { LogWriter } from "./log_writer.ts";
import { limitsOf } from "./log_scripts.ts";
import { shareOf } from "./share_script.ts";
import { readLog } from "./read_log.ts";
import { readMissed } from "./missed_events.ts";
import { decodeBatch, type PublishedEvent, targetOf } from "./log_codec.ts";
import { type LocalSessions, TrimmedEvents } from "./trimmed_events.ts";
import { UnsettledStreams } from "./unsettled_streams.ts";
import { Condition } from "../connection/condition.ts";
import { LogPosition } from "./log_position.ts";

/** After how many milliseconds a published event is read from the log. */
const GAP_TIMEOUT_MS = 50;

/**
 * A log of events in Redis, in one order for all nodes. Appending an event also
 * publishes it to the nodes. A node that misses a message reads the event from
 * the log.
 */
export class RedisEventLog implements EventLog, RedisComponent {
  readonly #redisNode: RedisNode;
  readonly #sessions: LocalSessions;
  readonly #limits: string[];
  readonly #writer: LogWriter;
  readonly #unsettled: UnsettledStreams;
  readonly #trimmed: TrimmedEvents;
  #streams: EventLogListener = { deliver: () => {}, reset: () => {} };
  readonly #position = new LogPosition();
  readonly #deliveredEvents: DeliveredEvents;
  readonly #covered = new CoveredSends();
  readonly #missing: CatchUp = new CatchUp({
    read: () => this.#read(),
    take: (text) => this.#take(text),
    onFailed: (error) => this.#redisNode.connection.report(error),
  });
  readonly #delivered = new Condition();

  /**
   * @param redisNode The server, and the channels of this node.
   * @param settings The limits of the log.
   * @param sessions The sessions of this node.
   */
  constructor(
    redisNode: RedisNode,
    settings: ReplaySettings,
    sessions: LocalSessions,
  ) {
    this.#redisNode = redisNode;
    this.#sessions = sessions;
    this.#limits = limitsOf(settings);
    this.#deliveredEvents = new DeliveredEvents(redisNode.nodeKeyId);
    this.#unsettled = new UnsettledStreams(redisNode, {
      deliver: (...event) => this.#streams.deliver(...event),
      reset: (...reset) => this.#streams.reset(...reset, "unknown"),
    });
    this.#trimmed = new TrimmedEvents(redisNode, sessions, this.#position);
    const limits = [...this.#limits, shareOf(settings)];
    this.#writer = new LogWriter(redisNode, settings, limits, {
      isDelivered: ({ ids, seq }) =>
        this.#deliveredEvents.hasDelivered(ids === undefined, seq) ||
        ids?.some((id) => sessions.isLocal(id)) === false,
      deliver: (event) => {
        const { seq, frame } = event;
        this.#deliveredEvents.markLocal(seq);
        this.#streams.deliver(
          targetOf(event),
          frame,
          Number.MAX_SAFE_INTEGER,
          this.#covered.without(seq),
        );
      },
      onLate: () => void this.#catchUp(),
      epoch: () => this.#position.epoch,
    });
    redisNode.components.add(this);
    redisNode.bus.onEvents((text) => this.#take(text), () => {
      this.#missing.invalidate();
      void this.#catchUp();
    });
  }

  get latestEventId(): string | undefined {
    const { epoch, newest } = this.#position;
    return epoch && `${epoch}-${newest}`;
  }

  /** The newest event that was delivered here. */
  get newest(): number {
    return this.#position.newest;
  }

  /** The last event of this node in the log. */
  get appended(): number {
    return this.#writer.appendedIn(this.#position.epoch);
  }

  start(streams: EventLogListener): void {
    this.#streams = streams;
  }

  append(target: SendTarget, frames: readonly string[]): void {
    for (const frame of frames) this.#writer.add(target, frame);
  }

  /** Resolves when what was appended is in the log, or cannot be. */
  flushed(): Promise<void> {
    return this.#writer.flushed();
  }

  async delivered(): Promise<void> {
    const { requestTimeoutMs } = this.#redisNode.node;
    await waitAtMost(this.#writer.readBack(), requestTimeoutMs);
  }

  async missed(client: Connecting): Promise<Missed | ResetReason> {
    const { session: id, lastEventId } = client;
    const { connection } = this.#redisNode;
    const { added } = this.#writer;
    try {
      const { epoch, upTo, reset, frames, newest } = await readMissed(
        this.#redisNode,
        this.#limits,
        client,
      );
      // Its client may not have read them from its earlier stream.
      const kept = lastEventId ? this.#writer.keptFor(client, added) : [];
      this.#unsettled.delete(id);
      // Commands are answered in order: the reply has all events up to here.
      this.#covered.set(id, this.#writer.appended);
      this.#position.replayed(id, newest);
      await this.#waitUntil(epoch, upTo);
      if (reset !== undefined) return reset;
      const latestEventId = epoch === "" ? "" : `${epoch}-${newest}`;
      return { frames: [...frames, ...kept], upTo: newest, latestEventId };
    } catch (error) {
      connection.report(error);
      this.#unsettle(id, lastEventId);
      this.#covered.set(id, this.#writer.added);
      if (lastEventId !== undefined) return "unknown";
      return { frames: [], upTo: 0, latestEventId: this.latestEventId ?? "" };
    }
  }

  onLogState(state: LogState): void {
    const position = this.#position;
    this.#covered.forgetBefore(this.#writer.oldest);
    if (position.epoch === undefined) {
      position.join(state);
      return this.#missing.release();
    }
    if (state.epoch !== position.epoch) {
      // Redis has lost the log.
      position.restart(state.epoch);
      return void this.#catchUp();
    }
    // In an outage, the state is read before anything is republished.
    if (!this.#redisNode.connection.isDown) this.#writer.recent.forgetOld();
    const isBehind = state.lastBroadcast > position.lastBroadcast ||
      state.lastDirect > position.lastDirect;
    if (isBehind) return void this.#catchUp();
    // What is being read now may be older than where sessions have resumed.
    if (!this.#missing.isRunning) position.verify(state.lastEvent);
  }

  onClaimFailed(id: string): void {
    this.#unsettle(id, undefined);
  }

  onEventsLost(ids: readonly string[]): void {
    this.#streams.reset(ids, this.latestEventId ?? "", "unknown");
  }

  onOwnersRestored(): void {
    this.#unsettled.settle(
      (id) => this.#sessions.isLocal(id),
      (id, newest) => this.#position.replayed(id, newest),
    ).catch((error) => this.#redisNode.connection.report(error));
  }

  onReconnected(isEmpty: boolean): void {
    if (isEmpty) this.#writer.republish();
    this.#writer.flush();
    void this.#catchUp();
  }

  onRecovered(): void {
    this.#writer.flush();
  }

  onResubscribed(): void {
    void this.#catchUp();
  }

  close(): void {
    this.#writer.close();
    this.#unsettled.close();
    this.#missing.clear();
    this.#delivered.notifyAll();
  }

  #take(text: string): void {
    if (this.#position.epoch === undefined || this.#missing.isNeeded) {
      this.#missing.add(text);
      return this.#missing.isRunning ? undefined : void this.#catchUp();
    }
    const message = decodeBatch(text);
    if (message === undefined) return this.#redisNode.node.ignore();
    const { epoch, sender, before: previousOffset, events, nodeKeyId } =
      message;
    // The message was for an earlier node of this name.
    if (nodeKeyId !== undefined && nodeKeyId !== this.#redisNode.nodeKeyId) {
      return;
    }
    const isBroadcast = nodeKeyId === undefined;
    if (epoch !== this.#position.epoch) {
      this.#missing.add(text);
      return void this.#redisNode.refreshLogState();
    }
    if (previousOffset > this.#position.lastOf(isBroadcast)) {
      this.#missing.add(text);
      return void this.#catchUp();
    }
    for (const event of events) this.#receive(event, sender);
    this.#updatePosition();
  }

  /** Delivers an event, unless it was delivered before. */
  #receive(event: PublishedEvent, sender: string): void {
    const { offset, seq, isRepublished, frame, ids } = event;
    const isBroadcast = ids === undefined;
    if (!this.#position.advance(isBroadcast, offset)) return;
    if (
      this.#deliveredEvents.isDuplicate(sender, isBroadcast, seq, isRepublished)
    ) return;
    const text = withSseId(frame, `${this.#position.epoch}-${offset}`);
    const target = targetOf(event);
    const isWithheld = this.#unsettled.withhold(target, text, offset);
    const { firstAppendedAt: since } = event;
    // Clients that came later have it, have had a reset, or began after it.
    const isExcluded = since === undefined
      ? isWithheld
      : (id: string) =>
        (this.#sessions.claimedAt(id) ?? 0) > since ||
        isWithheld?.(id) === true;
    this.#streams.deliver(target, text, offset, isExcluded);
  }

  /** Withholds events from a stream until its position is known. */
  #unsettle(id: string, lastEventId: string | undefined): void {
    // Otherwise nothing would settle it.
    if (!this.#redisNode.connection.isWaiting) return;
    this.#unsettled.add(id, lastEventId, this.#position);
  }

  /** Reads the events that were published and did not arrive. */
  #catchUp(): Promise<void> {
    if (this.#position.epoch === undefined) return Promise.resolve();
    return this.#missing.run().finally(() => this.#updatePosition());
  }

  async #read(): Promise<void> {
    const position = this.#position;
    let readTo = position.readFrom;
    for (;;) {
      const page = await readLog(this.#redisNode, readTo);
      if (page.epoch !== position.epoch) {
        return void this.#redisNode.refreshLogState();
      }
      await this.#trimmed.reset(page, readTo, this.#streams.reset);
      // Another log may have begun meanwhile.
      if (page.epoch !== position.epoch) {
        return void this.#redisNode.refreshLogState();
      }
      for (const { sender, ...event } of page.entries) {
        readTo = event.offset;
        const { ids } = event;
        if (ids === undefined) {
          this.#receive(event, sender);
          continue;
        }
        const local = ids.filter((id) =>
          this.#sessions.isLocal(id) && readTo > position.replayedUpTo(id)
        );
        if (local.length > 0) this.#receive({ ...event, ids: local }, sender);
      }
      if (page.entries.length > 0) continue;
      position.advance(true, page.lastBroadcast);
      position.advance(false, page.lastDirect);
      return position.verify(Math.max(position.contiguousTo, readTo));
    }
  }

  /**
   * Resolves when everything up to an event was delivered, or after a timeout.
   */
  async #waitUntil(epoch: string, upTo: number): Promise<void> {
    const { requestTimeoutMs } = this.#redisNode.node;
    const deadline = Date.now() + requestTimeoutMs;
    const isOver = () =>
      epoch !== this.#position.epoch || this.newest >= upTo ||
      Date.now() > deadline;
    while (!isOver()) {
      const { newest } = this;
      await waitAtMost(this.#delivered.wait(), GAP_TIMEOUT_MS);
      if (this.newest === newest) await this.#catchUp();
    }
  }

  #updatePosition(): void {
    this.#writer.onReceived();
    this.#delivered.notifyAll();
  }
}
