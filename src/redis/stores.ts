import type { SharedStores } from "../cluster/stream_options.ts";
import type { RedisNode } from "./redis_node.ts";
import { RedisEventArchive } from "./requests/event_archive.ts";
import { RedisRequestArchive } from "./requests/request_archive.ts";
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

/** The stores of a stream manager. With replay, it creates the others. */
export interface RedisStores {
  readonly stores: SharedStores;
  readonly log: () => RedisEventLog | undefined;
  readonly archive: () => RedisRequestArchive | undefined;
  readonly events: () => RedisEventArchive | undefined;
  /** Returns whether a session has a stream on this node. */
  readonly isAttached: (id: string) => boolean;
}

/** Creates the stores of a stream manager. */
export function createStores(
  redisNode: RedisNode,
  ttlMs: number,
): RedisStores {
  let archive: RedisRequestArchive | undefined;
  let events: RedisEventArchive | undefined;
  let log: RedisEventLog | undefined;
  let directory: RedisSessionDirectory | undefined;
  return {
    log: () => log,
    archive: () => archive,
    events: () => events,
    isAttached: (id) => directory?.isAttached(id) === true,
    stores: {
      log: (settings) => {
        archive = new RedisRequestArchive(redisNode, settings);
        events = new RedisEventArchive(redisNode, settings);
        return log = new RedisEventLog(redisNode, settings, {
          isLocal: (id) => directory!.isLocal(id),
          localIds: () => directory!.localIds(),
          claimedAt: (id) => directory!.claimedAt(id),
        });
      },
      directory: (onClaimed) =>
        directory = new RedisSessionDirectory(
          redisNode,
          ttlMs,
          onClaimed,
        ),
    },
  };
}
