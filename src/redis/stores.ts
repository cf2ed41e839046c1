import type { SharedStores } from "../cluster/stream_session_manager.ts";
import type { RedisNode } from "./redis_node.ts";
import { RedisEventLog } from "./log/event_log.ts";
import { RedisSessionDirectory } from "./directory/session_directory.ts";

/** How long sessions are kept whose metadata is not, in milliseconds. */
export const DEFAULT_TTL_MS = 7_200_000;
/** How long those are kept that are not to be forgotten, in milliseconds: a year. */
const MAX_TTL_MS = 31_536_000_000;

/** How long Redis keeps a session that nobody uses, in milliseconds. */
export function ttlOf(idleTimeoutMs: number): number {
  return Math.max(1, Math.ceil(Math.min(idleTimeoutMs, MAX_TTL_MS)));
}

/** The stores of a manager of streams, and the log, if it has one. */
export function createStores(
  backend: RedisNode,
  ttlMs: number,
): { stores: SharedStores; log: () => RedisEventLog | undefined } {
  let log: RedisEventLog | undefined;
  let directory: RedisSessionDirectory | undefined;
  return {
    log: () => log,
    stores: {
      log: (settings) =>
        log = new RedisEventLog(
          backend,
          settings,
          (id) => directory!.isLocal(id),
        ),
      directory: (onClaimed) =>
        directory = new RedisSessionDirectory(
          backend,
          ttlMs,
          onClaimed,
        ),
    },
  };
}
