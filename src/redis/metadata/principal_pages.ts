import { ClusterError } from "../../errors.ts";
import type { StoredSummary } from "../../metadata/metadata_store.ts";
import { PAGE_SIZE } from "../../metadata/principal_index.ts";
import { isTransientError } from "../connection/redis_errors.ts";
import type { Script } from "../connection/script.ts";
import type { RedisNode } from "../redis_node.ts";
import { DESCRIBE, PRINCIPAL_PAGE, SESSION_PAGE } from "./principal_scripts.ts";

/** Returns the field of a session with its principal. */
export function principalField(principal: string | undefined): string {
  // An empty principal differs from none.
  return principal === undefined ? "-" : `=${principal}`;
}

/** Returns the principal of a session, from its field. */
export function principalOf(field: string): string | undefined {
  return field === "-" ? undefined : field.slice(1);
}

/**
 * Returns the sessions of a principal, or all, in pages.
 *
 * @param redisNode The server.
 * @param principal The principal.
 * @param onExpired Called with sessions that were found to have expired.
 * @throws {ClusterError} If Redis is unavailable.
 */
export async function* sessionPages(
  redisNode: RedisNode,
  principal: string | undefined,
  onExpired: (ids: readonly string[]) => void,
): AsyncGenerator<readonly string[]> {
  // Other nodes may still be restoring what Redis has lost.
  if (!redisNode.connection.isDown) await redisNode.whenReadable();
  if (principal !== undefined) {
    return yield* pagesOf(redisNode, principalField(principal), onExpired);
  }
  let fields: string[];
  let after = "";
  do {
    fields = await run(redisNode, PRINCIPAL_PAGE, [after, String(PAGE_SIZE)]);
    for (const field of fields) yield* pagesOf(redisNode, field, onExpired);
    after = fields.at(-1) ?? "";
  } while (fields.length === PAGE_SIZE);
}

async function* pagesOf(
  redisNode: RedisNode,
  field: string,
  onExpired: (ids: readonly string[]) => void,
): AsyncGenerator<readonly string[]> {
  let after = "";
  do {
    const [last, count, ...ids] = await run(
      redisNode,
      SESSION_PAGE,
      [field, after, String(PAGE_SIZE)],
    );
    const page = ids.slice(0, Number(count));
    if (ids.length > page.length) onExpired(ids.slice(page.length));
    if (page.length > 0) yield page;
    after = last!;
  } while (after !== "");
}

/**
 * Returns what is stored of sessions.
 *
 * @param redisNode The server.
 * @param ids The sessions.
 * @param ttlMs How long an unused session is kept, in milliseconds.
 * @throws {ClusterError} If Redis is unavailable.
 */
export async function describeSessions(
  redisNode: RedisNode,
  ids: readonly string[],
  ttlMs: number,
): Promise<(StoredSummary | undefined)[]> {
  const { sessions } = redisNode.keys;
  const found = await evaluate(redisNode, DESCRIBE, [sessions, ...ids]);
  const now = Date.now();
  return (found as string[][]).map(([owner, clientInfo, startedAt, left]) => {
    if (!owner) return undefined;
    return {
      principal: principalOf(owner),
      clientInfo: clientInfo || undefined,
      // In microseconds of the server.
      startedAt: Math.floor(Number(startedAt) / 1_000),
      lastUsedAt: Math.min(now, now - ttlMs + Number(left)),
    };
  });
}

async function run(
  redisNode: RedisNode,
  script: Script,
  args: readonly string[],
): Promise<string[]> {
  const { prefix } = redisNode.keys;
  return await evaluate(redisNode, script, [prefix, ...args]) as string[];
}

async function evaluate(
  { connection, keys }: RedisNode,
  script: Script,
  args: readonly string[],
): Promise<unknown> {
  try {
    return await connection.evaluate(script, keys.logState, args);
  } catch (cause) {
    if (!isTransientError(cause)) throw cause;
    throw new ClusterError(
      "The sessions cannot be looked up: Redis is unavailable. Try again later.",
      { cause },
    );
  }
}
