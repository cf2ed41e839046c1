import { ClusterError } from "../../errors.ts";
import { PAGE_SIZE } from "../../metadata/principal_index.ts";
import { isTransientError } from "../connection/redis_errors.ts";
import type { Script } from "../connection/script.ts";
import type { RedisNode } from "../redis_node.ts";
import { PRINCIPAL_PAGE, SESSION_PAGE } from "./principal_scripts.ts";

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

async function run(
  { connection, keys }: RedisNode,
  script: Script,
  args: readonly string[],
): Promise<string[]> {
  try {
    return await connection.evaluate(
      script,
      keys.logState,
      [keys.prefix, ...args],
    ) as string[];
  } catch (cause) {
    if (!isTransientError(cause)) throw cause;
    throw new ClusterError(
      "The sessions cannot be looked up: Redis is unavailable. Try again later.",
      { cause },
    );
  }
}
