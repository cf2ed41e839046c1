import { assertKnownOptions } from "../contracts/known_options.ts";
import { objectOption } from "../contracts/resolve_options.ts";
import type { ListOptions, SessionSummary } from "../contracts/sessions.ts";
import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";
import { nextTurn } from "../runtime/end_of_turn.ts";
import { assertString } from "../runtime/assert_string.ts";

/** What a node knows of a session that is not stored. */
export interface SessionActivity {
  /** The node that has its stream, if there are several. */
  readonly node?: string | undefined;
  readonly isStreaming: boolean;
  readonly queuedBytes: number;
  readonly openRequests: number;
  /** How many milliseconds ago it was used, if that is not stored. */
  readonly age?: number | undefined;
}

/** Returns what the nodes know of sessions, by ID. */
export type FindActivity = (
  ids: readonly string[],
) => Promise<ReadonlyMap<string, SessionActivity>>;

const IDLE: SessionActivity = {
  isStreaming: false,
  queuedBytes: 0,
  openRequests: 0,
};

/**
 * Lists sessions. See `Sessions.list`.
 *
 * @param info The metadata of the sessions.
 * @param findActivity Returns what the nodes know of sessions.
 * @param options Which sessions.
 */
export function listSessions(
  info: StoredInfoSessionManager,
  findActivity: FindActivity,
  options: ListOptions | undefined,
): AsyncGenerator<SessionSummary> {
  const { principal, limit = Infinity } = objectOption("options", options);
  assertKnownOptions(options, { principal: true, limit: true });
  if (principal !== undefined) assertString("principal", principal);
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 1)) {
    throw new InvalidArgumentError(
      "limit",
      `"limit" must be a whole number of at least 1, but got ` +
        `${formatValue(limit)}.`,
    );
  }
  return list(info, findActivity, principal, limit);
}

async function* list(
  info: StoredInfoSessionManager,
  findActivity: FindActivity,
  principal: string | undefined,
  limit: number,
): AsyncGenerator<SessionSummary> {
  let left = limit;
  for await (const page of sessionRegistryOf(info).pages(principal)) {
    for (let start = 0; start < page.length && left > 0;) {
      const ids = page.slice(start, start + left);
      start += ids.length;
      // Some may have ended meanwhile.
      const summaries = await describe(info, findActivity, ids);
      left -= summaries.length;
      yield* summaries;
    }
    if (left === 0) return;
    // Other work goes on between the pages.
    await nextTurn();
  }
}

async function describe(
  info: StoredInfoSessionManager,
  findActivity: FindActivity,
  ids: readonly string[],
): Promise<SessionSummary[]> {
  const [stored, activities] = await Promise.all([
    sessionRegistryOf(info).describe(ids),
    findActivity(ids),
  ]);
  const now = Date.now();
  return ids.flatMap((id, index) => {
    const known = stored[index];
    if (known === undefined) return [];
    const { age = Infinity, ...activity } = activities.get(id) ?? IDLE;
    const lastUsedAt = Math.max(
      known.startedAt,
      known.lastUsedAt,
      now - age,
    );
    return {
      id,
      principal: known.principal,
      clientInfo: known.clientInfo && JSON.parse(known.clientInfo),
      node: activity.node,
      startedAt: new Date(known.startedAt),
      lastUsedAt: new Date(lastUsedAt),
      isStreaming: activity.isStreaming,
      queuedBytes: activity.queuedBytes,
      openRequests: activity.openRequests,
    };
  });
}
