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

/** Reads the sessions of principals, in pages. */
export class PrincipalPages {
  readonly #redisNode: RedisNode;

  /** @param redisNode The server. */
  constructor(redisNode: RedisNode) {
    this.#redisNode = redisNode;
  }

  /**
   * Returns the sessions of a principal, or all.
   *
   * @throws {ClusterError} If Redis is unavailable.
   */
  async *pages(principal?: string): AsyncGenerator<readonly string[]> {
    const { connection } = this.#redisNode;
    // Other nodes may still be restoring what Redis has lost.
    if (!connection.isDown) await this.#redisNode.whenReadable();
    if (principal !== undefined) {
      return yield* this.#sessionsOf(principalField(principal));
    }
    let fields: string[];
    let after = "";
    do {
      fields = await this.#run(PRINCIPAL_PAGE, [after, String(PAGE_SIZE)]);
      for (const field of fields) yield* this.#sessionsOf(field);
      after = fields.at(-1) ?? "";
    } while (fields.length === PAGE_SIZE);
  }

  async *#sessionsOf(field: string): AsyncGenerator<readonly string[]> {
    let after = "";
    do {
      const [last, ...ids] = await this.#run(
        SESSION_PAGE,
        [field, after, String(PAGE_SIZE)],
      );
      if (ids.length > 0) yield ids;
      after = last!;
    } while (after !== "");
  }

  async #run(script: Script, args: readonly string[]): Promise<string[]> {
    const { connection, keys } = this.#redisNode;
    try {
      return await connection.evaluate(
        script,
        keys.logState,
        [keys.prefix, ...args],
      ) as string[];
    } catch (cause) {
      if (!isTransientError(cause)) throw cause;
      throw new ClusterError(
        "The sessions cannot be looked up: Redis is unavailable. Try again " +
          "later.",
        { cause },
      );
    }
  }
}
