import type { StreamIntent } from "../../streams/pending_streams.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import { splitSseFrames } from "../../protocol/sse.ts";
import type { PendingTakeovers } from "./pending_takeovers.ts";
import type { Delivery, ResumeResult } from "./delivery.ts";
import type { EventLog, SessionIds } from "./event_log.ts";
import type { SessionDirectory } from "../directory/session_directory.ts";

/**
 * All texts go through a log that the nodes share: each node delivers what comes
 * out of it, in the one order, its own texts included.
 *
 * A stream starts at a place in that order, so each waits until that is known.
 */
export class LogDelivery implements Delivery {
  readonly #engine: StreamEngine;
  readonly #directory: SessionDirectory;
  readonly #log: EventLog;

  /**
   * @param log Has the events.
   * @param engine The streams of this node.
   * @param arrivals Streams that wait.
   * @param directory Knows where sessions are.
   */
  constructor(
    log: EventLog,
    engine: StreamEngine,
    arrivals: PendingTakeovers,
    directory: SessionDirectory,
  ) {
    this.#engine = engine;
    this.#directory = directory;
    this.#log = log;
    log.start((audience, frame, offset) => {
      arrivals.buffer(audience, frame, offset);
      engine.deliver(audience, frame);
    });
  }

  get latestEventId(): string | undefined {
    return this.#log.latestEventId;
  }

  send(audience: SessionIds, data: string): void {
    const ids = audience && [...new Set(audience)];
    this.#log.append(ids, splitSseFrames(data));
  }

  flushed(): Promise<void> {
    return this.#log.delivered();
  }

  needsResume(): boolean {
    return true;
  }

  async resume(
    id: string,
    { lastEventId, startEventId }: StreamIntent = {},
  ): Promise<ResumeResult> {
    // Else what comes meanwhile would go to both.
    this.#engine.replace(id);
    const claimed = this.#directory.claim(id);
    const missed = this.#log.missed(id, lastEventId, startEventId);
    await claimed;
    const start = await missed;
    return typeof start === "string" ? { reset: start } : { missed: start };
  }
}
