import type { PendingStream } from "../../streams/pending_streams.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import { splitSseFrames } from "../../protocol/sse.ts";
import type { PendingTakeovers } from "./pending_takeovers.ts";
import type { Delivery, ResumeResult } from "./delivery.ts";
import type { EventLog } from "./event_log.ts";
import type { SendTarget } from "../../replay/recipients.ts";
import type { SessionDirectory } from "../directory/session_directory.ts";

/**
 * Delivery through a log that the nodes share: each node delivers the events of
 * the log, including its own, in one order.
 *
 * A stream starts at an offset of the log, so it waits until that is known.
 */
export class LogDelivery implements Delivery {
  readonly #engine: StreamEngine;
  readonly #directory: SessionDirectory;
  readonly #log: EventLog;

  /**
   * @param log The shared log.
   * @param engine The streams of this node.
   * @param takeovers Streams that wait for missed events.
   * @param directory Knows the owners of sessions.
   */
  constructor(
    log: EventLog,
    engine: StreamEngine,
    takeovers: PendingTakeovers,
    directory: SessionDirectory,
  ) {
    this.#engine = engine;
    this.#directory = directory;
    this.#log = log;
    log.start({
      deliver: (target, frame, offset, isExcluded) => {
        takeovers.buffer(target, frame, offset);
        engine.deliver(target, frame, isExcluded);
      },
      reset: (...reset) => engine.reset(...reset),
    });
  }

  get latestEventId(): string | undefined {
    return this.#log.latestEventId;
  }

  send(target: SendTarget, data: string): void {
    this.#log.append(target, splitSseFrames(data));
  }

  flushed(): Promise<void> {
    return this.#log.delivered();
  }

  needsResume(): boolean {
    return true;
  }

  async resume(
    id: string,
    { lastEventId, startEventId, transport }: PendingStream = {},
  ): Promise<ResumeResult> {
    // Otherwise both streams would get the next events.
    this.#engine.replace(id);
    const claimed = this.#directory.claim(id);
    const missed = this.#log.missed({
      session: id,
      transport,
      lastEventId,
      startEventId,
    });
    await claimed;
    const start = await missed;
    return typeof start === "string" ? { reset: start } : { missed: start };
  }
}
