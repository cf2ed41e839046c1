import type {
  IdleTracked,
  SessionRecords,
} from "../../metadata/session_records.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import { hash } from "../../runtime/hash.ts";
import { areAges } from "../messaging/protocol_items.ts";

/** How much longer than the decider others wait, in idle timeouts. */
const GRACE = 1 / 4;
/** How much longer they wait at most, in milliseconds. */
const MAX_GRACE_MS = 10_000;
/** One node decides about all sessions of a bucket, by the hash of their IDs. */
const BUCKETS = 256;

/**
 * When the sessions of all nodes were last used. One node, chosen by a hash,
 * asks all others about a session that seems to be idle, and informs them of the
 * result. They only ask themselves if no result arrives for a while.
 */
export class SessionUse<Record extends IdleTracked> {
  readonly #node: ClusterNode;
  readonly #records: () => SessionRecords<Record>;
  readonly #idleTimeoutMs: number;
  /** Whether this node is the decider, by bucket; known since the last change. */
  #isDecider: (boolean | undefined)[] = [];

  /**
   * @param node This node, which must not have started.
   * @param records Returns the records of this node.
   * @param idleTimeoutMs After how long without use a session expires.
   */
  constructor(
    node: ClusterNode,
    records: () => SessionRecords<Record>,
    idleTimeoutMs: number,
  ) {
    this.#node = node;
    this.#records = records;
    this.#idleTimeoutMs = idleTimeoutMs;
    node.respond("lastUsed", ({ ids }) => {
      const now = node.scheduler.now();
      return ids.flatMap((id) => {
        const record = records().get(id);
        return record === undefined ? [] : [[id, now - record.lastUsedAt]];
      });
    });
    const onChange = () => {
      this.#isDecider = [];
    };
    node.listen({ onPeerUp: onChange, onPeerDown: onChange });
    node.handle("used", ({ ages }) => {
      for (const [id, age] of ages) records().onUsedElsewhere(id, age);
    });
  }

  /**
   * Returns how much later than another node this one checks an idle session,
   * in milliseconds.
   */
  graceMs(id: string): number {
    const bucket = hash(id) % BUCKETS;
    const isDecider = this.#isDecider[bucket] ??=
      this.#node.deciderOf(String(bucket)) === this.#node.name;
    return isDecider ? 0 : Math.min(this.#idleTimeoutMs * GRACE, MAX_GRACE_MS);
  }

  /**
   * Asks all nodes how many milliseconds ago sessions were used.
   *
   * @returns `undefined` if some can't respond: they may be using them.
   */
  async lastUsed(
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, number> | undefined> {
    const { isPartial, others } = this.#node;
    if (isPartial) return undefined;
    const responses = await this.#node.request({ kind: "lastUsed", ids });
    if (responses.size < others.length) return undefined;
    const used = new Map<string, number>();
    for (const response of responses.values()) {
      if (!areAges(response)) return undefined;
      for (const [id, ms] of response) {
        used.set(id, Math.min(ms, used.get(id) ?? Infinity));
      }
    }
    this.#inform(used);
    return used;
  }

  /** Informs all nodes of the sessions that are in use. */
  #inform(used: ReadonlyMap<string, number>): void {
    // A message takes time, which must not count as use again and again.
    const ages = [...used].filter(([, age]) => age < this.#idleTimeoutMs / 2);
    if (ages.length > 0) this.#node.broadcast({ kind: "used", ages });
  }
}
