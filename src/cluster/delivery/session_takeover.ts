import type { MissedEvents } from "../../replay/replay_log.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import { isMissedEvents } from "../messaging/protocol_items.ts";
import type { SessionDirectory } from "../directory/session_directory.ts";

/** A client that comes back, and what it says of itself. */
export interface ResumeRequest {
  /** What it got last. */
  readonly lastEventId: string;
  /** The position here when its session began. */
  readonly startEventId?: string | undefined;
}

/** Sessions that move here from other nodes, with what their clients have missed. */
export class SessionTakeover {
  readonly #node: ClusterNode;
  readonly #engine: StreamEngine;
  readonly #directory: SessionDirectory;
  readonly #takeovers: Map<string, Promise<ResetReason | undefined>> =
    new Map();

  /**
   * @param node Knows the other nodes.
   * @param engine What keeps the events of this node.
   * @param directory Knows where sessions are.
   * @param since The position here when a session began.
   */
  constructor(
    node: ClusterNode,
    engine: StreamEngine,
    directory: SessionDirectory,
    since: (id: string) => string | undefined,
  ) {
    this.#node = node;
    this.#engine = engine;
    this.#directory = directory;
    node.respond("resume", async ({ id, lastEventId }) => {
      // It may be on its way here itself.
      await this.#takeovers.get(id);
      return this.#engine.exportMissed(id, lastEventId, since(id));
    });
  }

  /** Whether a session is on its way here. */
  has(id: string): boolean {
    return this.#takeovers.has(id);
  }

  /**
   * Makes this node the home of a session, and fetches what its client has missed.
   * One that is on its way already comes once.
   *
   * @returns Why that cannot be had, if another node knows.
   */
  start(id: string, comer: ResumeRequest): Promise<ResetReason | undefined> {
    let move = this.#takeovers.get(id);
    if (move === undefined) {
      move = this.#fetch(id, comer).finally(() => this.#takeovers.delete(id));
      this.#takeovers.set(id, move);
    }
    return move;
  }

  async #fetch(
    id: string,
    { lastEventId, startEventId }: ResumeRequest,
  ): Promise<ResetReason | undefined> {
    const previous = await this.#directory.claim(id);
    if (previous === undefined) return undefined;
    const answers = await this.#node.request(
      { kind: "resume", id, lastEventId },
      { nodes: [previous] },
    );
    const missed = answers.get(previous);
    if (!isMissedEvents(missed)) {
      return isResetReason(missed) ? missed : "unknown";
    }
    if (!await this.#waitForBroadcasts(missed)) return "unknown";
    return this.#engine.importMissed(id, lastEventId, missed, startEventId);
  }

  /**
   * Waits for the texts to everyone that a session brings along from elsewhere.
   *
   * @returns Whether they came in time.
   */
  async #waitForBroadcasts(missed: MissedEvents): Promise<boolean> {
    const deadline = Date.now() + this.#node.requestTimeoutMs;
    while (this.#engine.log?.isBehind(this.#node.others, missed)) {
      if (Date.now() > deadline) return false;
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

function isResetReason(answer: unknown): answer is ResetReason {
  return RESET_REASONS.includes(answer);
}
