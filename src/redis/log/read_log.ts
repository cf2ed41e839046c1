import { inChunks } from "../../runtime/chunks.ts";
import type { RedisNode } from "../redis_node.ts";
import { decodeEntry, type PublishedEvent } from "./log_codec.ts";
import { AFTER } from "./gap_scripts.ts";

/** A part of the log, as a node reads it. */
export interface LogPage {
  readonly epoch: string;
  /** The newest broadcast of the log. */
  readonly lastBroadcast: number;
  /** The newest event for this node alone. */
  readonly lastDirect: number;
  /** The events, and their senders; none at the end of the log. */
  readonly entries: readonly (PublishedEvent & { readonly sender: string })[];
  /** The newest broadcast that was trimmed. */
  readonly trimmedBroadcast: number;
  /** The newest targeted event that was trimmed. */
  readonly trimmedTargeted: number;
}

/**
 * Reads some events of the log.
 *
 * @param redisNode The server, and this node.
 * @param offset The event after which they are.
 */
export async function readLog(
  { connection, keys, nodeKey }: RedisNode,
  offset: number,
): Promise<LogPage> {
  const [
    epoch,
    lastBroadcast,
    lastDirect,
    events,
    trimmedBroadcast,
    trimmedTargeted,
  ] = await connection.evaluate(
    AFTER,
    keys.logState,
    [keys.events, nodeKey, String(offset), `${keys.prefix}again`],
  ) as [string, string, string, string[], string, string];
  return {
    epoch,
    lastBroadcast: Number(lastBroadcast),
    lastDirect: Number(lastDirect),
    entries: inChunks(events, 5).map(decodeEntry),
    trimmedBroadcast: Number(trimmedBroadcast),
    trimmedTargeted: Number(trimmedTargeted),
  };
}
