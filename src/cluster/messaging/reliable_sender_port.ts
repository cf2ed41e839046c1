import type { Scheduler } from "../../runtime/scheduler.ts";
import type { PacketBus } from "./packet_bus.ts";

/** What a `ReliableSender` needs. */
export interface ReliableSenderPort {
  readonly packetBus: PacketBus;
  readonly scheduler: Scheduler;
  /**
   * After how long the heartbeats of a receiver have acknowledged what was sent
   * to all, in milliseconds.
   */
  readonly heartbeatTimeoutMs: number;
  /** Requests an acknowledgement of a receiver. */
  readonly probe: (receiver: string) => void;
  /** Sends a heartbeat, so that receivers notice the loss of the last batch. */
  readonly announce: () => void;
  /**
   * Called when the send queue was cleared because it was too long.
   *
   * @param messages The number of messages that were dropped.
   * @param receivers The number of nodes that they were for, at most.
   */
  readonly onOverflow: (messages: number, receivers: number) => void;
  /**
   * Called when a batch was given up, because the bus refuses it.
   *
   * @param bytes Its length in UTF-8.
   * @param receivers The nodes that have not acknowledged it.
   * @param cause The error of the bus.
   */
  readonly onGivenUp: (
    bytes: number,
    receivers: readonly string[],
    cause: unknown,
  ) => void;
}
