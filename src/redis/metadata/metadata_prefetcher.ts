import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { inChunks } from "../../runtime/chunks.ts";
import { SESSIONS_PER_COMMAND } from "../connection/command_size.ts";
import type { RedisNode } from "../redis_node.ts";
import { isMetadataField } from "./metadata_fields.ts";
import { RECALL } from "./metadata_scripts.ts";

/**
 * Called with a field, when it was last confirmed, and whether it was restored
 * after Redis had lost it.
 */
type OnField = (
  id: string,
  field: string,
  value: string,
  at: string,
  isRestored: boolean,
) => void;

/**
 * Reads the metadata of sessions that this node has taken over, so that they are
 * in its cache if Redis fails.
 */
export class MetadataPrefetcher {
  readonly #redisNode: RedisNode;
  readonly #onField: OnField;
  readonly #onComplete: (id: string) => void;
  #ids: Set<string> = new Set();

  /**
   * @param redisNode The server.
   * @param onField Called with each field.
   * @param onComplete Called with each session after its fields.
   */
  constructor(
    redisNode: RedisNode,
    onField: OnField,
    onComplete: (id: string) => void,
  ) {
    this.#redisNode = redisNode;
    this.#onField = onField;
    this.#onComplete = onComplete;
  }

  /** Reads the metadata of sessions at the end of this turn. */
  add(ids: Iterable<string>): void {
    const isScheduled = this.#ids.size > 0;
    for (const id of ids) this.#ids.add(id);
    if (isScheduled || this.#ids.size === 0) return;
    atEndOfTurn(() => {
      const claimed = [...this.#ids];
      this.#ids = new Set();
      this.#read(claimed).catch((error) =>
        this.#redisNode.connection.report(error)
      );
    });
  }

  async #read(ids: readonly string[]): Promise<void> {
    const { connection, keys } = this.#redisNode;
    for (const chunk of inChunks(ids, SESSIONS_PER_COMMAND)) {
      const sessions = await connection.evaluate(
        RECALL,
        keys.logState,
        [keys.sessions, ...chunk],
      ) as [...string[][], string];
      const at = sessions.pop() as string;
      for (const [index, id] of chunk.entries()) {
        const fields = new Map(
          inChunks(sessions[index] as string[], 2) as [string, string][],
        );
        for (const [name, value] of fields) {
          if (!isMetadataField(name)) continue;
          const restoredAt = fields.get(`~${name}`);
          const isRestored = restoredAt !== undefined;
          this.#onField(id, name, value, restoredAt ?? at, isRestored);
        }
        this.#onComplete(id);
      }
    }
  }
}
