import type { SharedStores } from "../cluster/stream_options.ts";
import type { RedisNode } from "./redis_node.ts";
import { RedisEventLog } from "./log/event_log.ts";
import { RedisSessionDirectory } from "./directory/session_directory.ts";

/**
 * How long the owner of a session is kept without metadata, in milliseconds.
 */
export const DEFAULT_TTL_MS = 7_200_000;
/** How long sessions that never expire are kept, in milliseconds: a year. */
const MAX_TTL_MS = 31_536_000_000;

/** Returns how long Redis keeps an unused session, in milliseconds. */
export function ttlOf(idleTimeoutMs: number): number {
  return Math.max(1, Math.ceil(Math.min(idleTimeoutMs, MAX_TTL_MS)));
}

/** Creates the stores of a stream manager, and the log, if it has one. */
export function createStores(
  redisNode: RedisNode,
  ttlMs: number,
): { stores: SharedStores; log: () => RedisEventLog | undefined } {
  let log: RedisEventLog | undefined;
  let directory: RedisSessionDirectory | undefined;
  return {
    log: () => log,
    stores: {
      log: (settings) =>
        log = new RedisEventLog(
          redisNode,
          settings,
          (id) => directory!.isLocal(id),
        ),
      directory: (onClaimed) =>
        directory = new RedisSessionDirectory(
          redisNode,
          ttlMs,
          onClaimed,
        ),
    },
  };
}
