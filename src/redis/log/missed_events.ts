import type { ResetReason } from "../../contracts/options.ts";
import { withSseId } from "../../protocol/sse.ts";
import type { RedisNode } from "../redis_node.ts";
import type { Connecting } from "../../cluster/delivery/event_log.ts";
import { decodePayload, parseEventId } from "./log_codec.ts";
import { MISSED } from "./log_scripts.ts";

/** What the log has for a session whose client reconnected. */
export interface ReadMissed {
  /** The epoch of the log; empty if no log exists. */
  readonly epoch: string;
  /** The events up to this offset must be delivered before the stream starts. */
  readonly upTo: number;
  /** Why the missed events are unavailable, if they are. */
  readonly reset: ResetReason | undefined;
  /** The frames that the client has missed, with their IDs. */
  readonly frames: readonly string[];
  /** The offset of the newest event. */
  readonly newest: number;
}

/**
 * Reads what a session has missed.
 *
 * @param redisNode The server, and this node.
 * @param limits The limits of the log.
 * @param client The client that connects.
 */
export async function readMissed(
  { keys, connection, nodeKey }: RedisNode,
  limits: readonly string[],
  { session, transport, lastEventId, startEventId }: Connecting,
): Promise<ReadMissed> {
  const last = parseEventId(lastEventId);
  const start = parseEventId(startEventId);
  const isSameLog = start?.epoch === last?.epoch;
  const [epoch, upTo, reset, missed, newest] = await connection.evaluate(
    MISSED,
    keys.logState,
    [
      keys.prefix,
      session,
      nodeKey,
      ...limits,
      last?.offset ?? "",
      last?.epoch ?? "",
      isSameLog ? start?.offset ?? "0" : "0",
    ],
  ) as [string, string, ResetReason | "", string[], string];
  const frames: string[] = [];
  for (let at = 0; at < missed.length; at += 2) {
    const event = decodePayload(missed[at + 1]!);
    // The script returns the broadcasts of all transports.
    const isForClient = event.transport === undefined ||
      event.transport === transport;
    if (!isForClient) continue;
    frames.push(withSseId(event.frame, `${epoch}-${missed[at]}`));
  }
  const isMalformed = lastEventId !== undefined && last === undefined;
  return {
    epoch,
    upTo: Number(upTo),
    reset: isMalformed ? "unknown" : reset || undefined,
    frames,
    newest: Number(newest),
  };
}
