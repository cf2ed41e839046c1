import { assertKnownOptions } from "../contracts/known_options.ts";
import { objectOption } from "../contracts/resolve_options.ts";
import type { EndTarget } from "../contracts/sessions.ts";
import { InvalidArgumentError } from "../errors.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";
import { nextTurn } from "../runtime/slice.ts";
import { assertString } from "./assert_string.ts";

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
  const { session, principal } = checkEndTarget(target);
  if (session !== undefined) return await endAll(info, [session]);
  let count = 0;
  for await (const ids of sessionRegistryOf(info).pages(principal)) {
    if (count > 0) await nextTurn();
    count += await endAll(info, ids);
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
export function checkEndTarget(
  target: EndTarget,
): { readonly session?: string; readonly principal?: string } {
  const { session, principal } = objectOption("target", target) as {
    readonly session?: unknown;
    readonly principal?: unknown;
  };
  assertKnownOptions(target, { session: true, principal: true });
  if ((session === undefined) === (principal === undefined)) {
    throw new InvalidArgumentError(
      "target",
      `"target" must have either "session" or "principal", but has ` +
        `${session === undefined ? "neither" : "both"}. Nothing was ended.`,
    );
  }
  if (session === undefined) {
    assertString("target.principal", principal);
    return { principal };
  }
  assertString("target.session", session);
  return { session };
}
