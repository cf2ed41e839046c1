import type { Sessions } from "../../contracts/sessions.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import type { RedisNode } from "../redis_node.ts";
import type { Call, CallResult } from "./call.ts";
import { FINISH, LEASE_MS, RENEW, TAKE } from "./call_scripts.ts";

/** A random UUID, as notifiers create it. */
const CALL_ID = /^[0-9a-f-]{36}$/;

/** Does what notifiers ask for, as if it were called on this node. */
export class CallInbox {
  readonly #redisNode: RedisNode;
  readonly #sessions: Pick<Sessions, "notify" | "end">;
  readonly #flushed: (() => Promise<void>) | undefined;
  /** The calls that this node takes or works on, by ID. */
  readonly #running: Map<string, Promise<void>> = new Map();
  #isOpen = false;
  #isClosed = false;

  /**
   * @param redisNode The server, and this node.
   * @param sessions The sessions of this node.
   * @param flushed Resolves when what was sent is in the log, if there is one.
   */
  constructor(
    redisNode: RedisNode,
    sessions: Pick<Sessions, "notify" | "end">,
    flushed: (() => Promise<void>) | undefined,
  ) {
    this.#redisNode = redisNode;
    this.#sessions = sessions;
    this.#flushed = flushed;
    redisNode.bus.onCall((id) => this.#onCall(id));
    // Before, this node does not reach all others.
    redisNode.ready.then(() => this.#isOpen = true, () => {});
  }

  /** Takes no more calls, and waits for those that it has taken. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { requestTimeoutMs } = this.#redisNode.node;
    await waitAtMost(Promise.all(this.#running.values()), requestTimeoutMs);
  }

  #onCall(id: string): void {
    if (!CALL_ID.test(id)) return this.#redisNode.node.ignore();
    if (!this.#isOpen || this.#isClosed || this.#running.has(id)) return;
    const running = this.#run(id)
      // The notifier announces it again, and another node may take it.
      .catch((error) => this.#redisNode.connection.report(error))
      .finally(() => this.#running.delete(id));
    this.#running.set(id, running);
  }

  async #run(id: string): Promise<void> {
    const { connection, keys, nodeKeyId } = this.#redisNode;
    const key = keys.calls + id;
    const lease = [nodeKeyId, String(LEASE_MS)];
    const text = await connection.evaluate(TAKE, key, lease);
    if (typeof text !== "string") return;
    const renewal = setInterval(() => {
      connection.evaluate(RENEW, key, lease).catch((error) =>
        connection.report(error)
      );
    }, LEASE_MS / 3);
    let result: CallResult;
    try {
      result = { value: await this.#answer(JSON.parse(text)) };
    } catch (error) {
      result = { error: (error as Error).message };
    } finally {
      clearInterval(renewal);
    }
    await connection.evaluate(FINISH, key, [JSON.stringify(result)]);
  }

  async #answer(call: Call): Promise<number | undefined> {
    if (call.kind === "end") return await this.#sessions.end(call.target);
    await this.#sessions.notify(call.notification, call.to);
    await this.#flushed?.();
    return undefined;
  }
}
