import type { StreamEngine } from "../../streams/stream_engine.ts";
import type {
  MissedEvents,
  TransferableReplayLog,
} from "./transferable_replay_log.ts";
import type { Resumption } from "../../replay/replay_log.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import { isMissedEvents } from "../messaging/protocol_items.ts";
import type { SessionDirectory } from "../directory/session_directory.ts";

/**
 * Moves sessions here from other nodes, with the events that their clients have
 * missed.
 */
export class SessionTakeover {
  readonly #node: ClusterNode;
  readonly #engine: StreamEngine<TransferableReplayLog>;
  readonly #directory: SessionDirectory;
  readonly #takeovers: Map<string, Promise<ResetReason | undefined>> =
    new Map();

  /**
   * @param node This node.
   * @param engine The streams and replay log of this node.
   * @param directory Knows the owners of sessions.
   * @param startEventIdOf The newest event here when a session began.
   */
  constructor(
    node: ClusterNode,
    engine: StreamEngine<TransferableReplayLog>,
    directory: SessionDirectory,
    startEventIdOf: (id: string) => string | undefined,
  ) {
    this.#node = node;
    this.#engine = engine;
    this.#directory = directory;
    node.respond("resume", async ({ id, lastEventId, transport }, from) => {
      // The session may still be moving here.
      await this.#takeovers.get(id);
      const owner = await this.#directory.findOwner(id);
      // Only the previous owner has all events. It keeps them if another node
      // has claimed the session since.
      if (owner?.node !== from || !owner.wasLocal) return undefined;
      const startEventId = startEventIdOf(id);
      return this.#engine.log?.exportMissed(
        { session: id, transport, lastEventId, startEventId },
        node.scheduler.now(),
      ) ?? "unknown";
    });
  }

  /** Returns whether a session is moving here. */
  has(id: string): boolean {
    return this.#takeovers.has(id);
  }

  /**
   * Makes this node the owner of a session, and fetches what its client has
   * missed. Concurrent takeovers of a session are one.
   *
   * @returns A reason if the missed events are unavailable.
   */
  start(resumption: Resumption): Promise<ResetReason | undefined> {
    const { session: id } = resumption;
    let takeover = this.#takeovers.get(id);
    if (takeover === undefined) {
      takeover = this.#fetch(resumption).finally(() =>
        this.#takeovers.delete(id)
      );
      this.#takeovers.set(id, takeover);
    } else {
      // The stream that it was for may have ended: then the session is detached.
      void this.#directory.claim(id);
    }
    return takeover;
  }

  async #fetch(resumption: Resumption): Promise<ResetReason | undefined> {
    const previous = await this.#directory.claim(resumption.session);
    const [from, missed] = await this.#requestMissed(resumption, previous) ??
      [];
    if (from === undefined) {
      // If no other node owned it, the log of this node knows.
      return previous === undefined ? undefined : "unknown";
    }
    if (!isMissedEvents(missed)) {
      return isResetReason(missed) ? missed : "unknown";
    }
    if (!await this.#waitForBroadcasts(missed)) return "unknown";
    const { log } = this.#engine;
    if (log === undefined) return "unknown";
    this.#engine.startTrimming();
    const now = this.#node.scheduler.now();
    return log.importMissed(resumption, missed, from, now);
  }

  /**
   * Requests the events that a client has missed, first from the known previous
   * owner, then from all other nodes: the last claim may still be under way.
   *
   * @returns The previous owner and its response, if it is found.
   */
  async #requestMissed(
    { session: id, transport, lastEventId }: Resumption,
    previous: string | undefined,
  ): Promise<[node: string, response: unknown] | undefined> {
    for (const isPrevious of [true, false]) {
      const { others, downAfterMs } = this.#node;
      const responses = await this.#node.request(
        { kind: "resume", id, lastEventId, transport },
        {
          nodes: others.filter((name) => (name === previous) === isPrevious),
          // No other node has the events, so wait for one that is busy.
          extraTimeoutMs: downAfterMs,
          isSufficient: (response) => response !== undefined,
        },
      );
      for (const [node, response] of responses) {
        if (response !== undefined) return [node, response];
      }
    }
    return undefined;
  }

  /**
   * Waits for the broadcasts that the other node had received before the
   * session moved.
   *
   * @returns Whether they arrived in time.
   */
  async #waitForBroadcasts(missed: MissedEvents): Promise<boolean> {
    const { scheduler, requestTimeoutMs, downAfterMs } = this.#node;
    const deadline = scheduler.now() + requestTimeoutMs + downAfterMs;
    while (this.#engine.log?.isBehind(this.#node.others, missed)) {
      if (scheduler.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return true;
  }
}

const RESET_REASONS: readonly unknown[] = [
  "unknown",
  "purged",
  "future",
] satisfies ResetReason[];

function isResetReason(response: unknown): response is ResetReason {
  return RESET_REASONS.includes(response);
}
