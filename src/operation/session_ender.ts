import { assertKnownOptions } from "../contracts/known_options.ts";
import { objectOption } from "../contracts/resolve_options.ts";
import type { EndTarget } from "../contracts/sessions.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";
import { inChunks } from "../runtime/chunks.ts";
import { nextTurn } from "../runtime/end_of_turn.ts";
import { assertOneOf } from "./assert_one_of.ts";
import { assertString } from "../runtime/assert_string.ts";

/** How many sessions are ended in a turn, on each node. */
const AT_ONCE = 100;

/**
 * Ends sessions, in pages, so that other work goes on meanwhile. See
 * `Sessions.end`.
 *
 * @param info The metadata of the sessions.
 * @param target Which sessions.
 * @returns How many were ended.
 */
export async function endSessions(
  info: StoredInfoSessionManager,
  target: EndTarget,
): Promise<number> {
  const checked = checkEndTarget(target);
  if ("session" in checked) return await endAll(info, [checked.session]);
  let count = 0;
  for await (const ids of sessionRegistryOf(info).pages(checked.principal)) {
    for (const chunk of inChunks(ids, AT_ONCE)) {
      if (count > 0) await nextTurn();
      count += await endAll(info, chunk);
    }
  }
  return count;
}

async function endAll(
  info: StoredInfoSessionManager,
  ids: readonly string[],
): Promise<number> {
  const registry = sessionRegistryOf(info);
  const ended = await Promise.all(ids.map((id) => registry.end(id)));
  return ended.filter((wasThere) => wasThere).length;
}

/**
 * Checks and copies a target.
 *
 * @throws {InvalidArgumentError} If it names neither a session nor a principal,
 * or both.
 */
export function checkEndTarget(target: EndTarget): EndTarget {
  const given = objectOption("target", target) as {
    readonly session?: unknown;
    readonly principal?: unknown;
  };
  assertKnownOptions(target, { session: true, principal: true });
  assertOneOf("target", given, ["session", "principal"], "Nothing was ended.");
  const { session, principal } = given;
  if (session === undefined) {
    assertString("target.principal", principal);
    return { principal };
  }
  assertString("target.session", session);
  return { session };
}
