import { ClusterError } from "../../errors.ts";
import { toClientError } from "../connection/client_errors.ts";
import type { RedisConnection } from "../connection/connection.ts";
import type { RedisKeys } from "../connection/keys.ts";
import { nodeOf } from "../directory/owner_lookup.ts";
import { isTransientError } from "../connection/redis_errors.ts";
import type { Script } from "../connection/script.ts";
import type { Call, CallResult } from "./call.ts";
import { CALL, LEASE_MS, WITHDRAW } from "./call_scripts.ts";

/** The first and the longest time between two polls, in milliseconds. */
const FIRST_POLL_MS = 2;
const MAX_POLL_MS = 100;
/** After how long a call is announced again, in milliseconds. */
const ANNOUNCE_MS = 250;

/**
 * Asks the nodes to do something. It receives no messages: the call and its
 * result are in Redis, which it polls.
 */
export class CallSender {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #timeoutMs: number;
  /** The node that did what was last asked for. */
  #lastNode: string | undefined;

  /**
   * @param connection The server.
   * @param keys The names of the keys.
   * @param timeoutMs How long to wait for a node, in milliseconds.
   */
  constructor(
    connection: RedisConnection,
    keys: RedisKeys,
    timeoutMs: number,
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Waits until a node has done something, and returns the result.
   *
   * @throws {ClusterError} If Redis is unavailable, no node responds in time, or
   * the node failed.
   */
  async call(call: Call): Promise<number | undefined> {
    const id = crypto.randomUUID();
    const key = this.#keys.calls + id;
    const ttl = String(this.#timeoutMs + LEASE_MS * 2);
    let payload = JSON.stringify(call);
    let deadline = performance.now() + this.#timeoutMs;
    let announcedAt = -Infinity;
    let pollMs = FIRST_POLL_MS;
    for (;;) {
      const isDue = performance.now() - announcedAt >= ANNOUNCE_MS;
      // That node does not respond: it may be gone.
      if (isDue && payload === "") this.#lastNode = undefined;
      const channel = this.#keys.channelOf(this.#lastNode);
      const args = [channel, id, payload, ttl, isDue ? "1" : ""];
      const [state, result, node] = await this.#run(CALL, key, args);
      if (isDue) announcedAt = performance.now();
      payload = "";
      if (state === "done") {
        this.#lastNode = nodeOf(node!)?.name;
        return valueOf(result!);
      }
      if (state === "lost") {
        throw new ClusterError(`Redis has lost its data. ${UNKNOWN}`);
      }
      if (state === "busy") deadline = performance.now() + this.#timeoutMs;
      else if (performance.now() >= deadline) return await this.#giveUp(key);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      pollMs = Math.min(pollMs * 2, MAX_POLL_MS);
    }
  }

  async #giveUp(key: string): Promise<number | undefined> {
    const [state, result] = await this.#run(WITHDRAW, key, []);
    if (state === "done") return valueOf(result!);
    const { userPrefix } = this.#keys;
    throw new ClusterError(
      state === "taken"
        ? "A node that worked on it is gone, and no other took it over within " +
          `${this.#timeoutMs} ms. ${UNKNOWN}`
        : `No node has responded within ${this.#timeoutMs} ms, so nothing was ` +
          "done. Check that nodes of RedisSessions with the prefix " +
          `"${userPrefix}" are running on this Redis, and call it again.`,
    );
  }

  async #run(
    script: Script,
    key: string,
    args: readonly string[],
  ): Promise<[state: string, result?: string, node?: string]> {
    const isNew = script === CALL && args[2] !== "";
    const isUnsent = isNew && this.#connection.isDown;
    try {
      return await this.#connection.evaluate(script, key, args) as [string];
    } catch (cause) {
      if (!isTransientError(cause)) throw toClientError(cause);
      const effect = isUnsent ? "Nothing was done. Call it again." : UNKNOWN;
      throw new ClusterError(`Redis is unavailable. ${effect}`, { cause });
    }
  }
}

const UNKNOWN =
  "It is unknown whether it was done. Clients may get a notification twice if " +
  "you call it again.";

function valueOf(text: string): number | undefined {
  const { value, error } = JSON.parse(text) as CallResult;
  if (error !== undefined) throw new ClusterError(error);
  return value;
}
