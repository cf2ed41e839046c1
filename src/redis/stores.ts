import type { ClusterStores } from "../cluster/stream_session_manager.ts";
import type { Backend } from "./redis_node.ts";
import { RedisEventLog } from "./log/event_log.ts";
import { RedisSessionDirectory } from "./directory/session_directory.ts";

/** How long sessions are kept whose metadata is not, in milliseconds. */
export const DEFAULT_TTL_MS = 7_200_000;
/** How long those are kept that are not to be forgotten, in milliseconds: a year. */
const MOST_MS = 31_536_000_000;

/** How long Redis keeps a session that nobody uses, in milliseconds. */
export function ttlOf(idleMs: number): number {
  return Math.max(1, Math.ceil(Math.min(idleMs, MOST_MS)));
}

/** The stores of a manager of streams, and the log, if it has one. */
export function storesOf(
  backend: Backend,
  ttlMs: number,
): { stores: ClusterStores; log: () => RedisEventLog | undefined } {
  let log: RedisEventLog | undefined;
  let directory: RedisSessionDirectory | undefined;
  return {
    log: () => log,
    stores: {
      log: (settings) =>
        log = new RedisEventLog(
          backend,
          settings,
          (id) => directory!.isHere(id),
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
