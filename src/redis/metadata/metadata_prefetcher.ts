import { atEndOfTurn } from "../../runtime/end_of_turn.ts";
import { inChunks, SESSIONS_PER_COMMAND } from "../connection/chunks.ts";
import type { RedisNode } from "../redis_node.ts";
import { isMetadataField } from "./metadata_fields.ts";
import { RECALL } from "./metadata_scripts.ts";

/**
 * Reads the metadata of sessions that this node has taken over, so that they are
 * in its cache if Redis fails.
 */
export class MetadataPrefetcher {
  readonly #redisNode: RedisNode;
  readonly #onField: (
    id: string,
    field: string,
    value: string,
    at: string,
  ) => void;
  readonly #onComplete: (id: string) => void;
  #ids: Set<string> = new Set();

  /**
   * @param redisNode The server.
   * @param onField Called with each field, and when it was read.
   * @param onComplete Called with each session after its fields.
   */
  constructor(
    redisNode: RedisNode,
    onField: (id: string, field: string, value: string, at: string) => void,
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
        const fields = sessions[index] as string[];
        for (let each = 0; each < fields.length; each += 2) {
          const name = fields[each]!;
          if (isMetadataField(name)) {
            this.#onField(id, name, fields[each + 1]!, at);
          }
        }
        this.#onComplete(id);
      }
    }
  }
}
