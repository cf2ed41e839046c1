import type { MissedEvents } from "../../replay/replay_log.ts";
import type { StreamEngine } from "../../streams/stream_engine.ts";
import type { ResetReason } from "../../contracts/options.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import { isMissedEvents } from "../messaging/protocol_items.ts";
import type { SessionDirectory } from "../directory/session_directory.ts";

/** A client that comes back, and what it says of itself. */
export interface Comer {
  /** What it got last. */
  readonly lastEventId: string;
  /** The position here when its session began. */
  readonly since?: string | undefined;
}

/** Sessions that move here from other nodes, with what their clients have missed. */
export class SessionMoves {
  readonly #node: ClusterNode;
  readonly #engine: StreamEngine;
  readonly #directory: SessionDirectory;
  readonly #moves: Map<string, Promise<ResetReason | undefined>> = new Map();

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
    node.answer("resume", async ({ id, lastEventId }) => {
      // It may be on its way here itself.
      await this.#moves.get(id);
      return this.#engine.handOver(id, lastEventId, since(id));
    });
  }

  /** Whether a session is on its way here. */
  has(id: string): boolean {
    return this.#moves.has(id);
  }

  /**
   * Makes this node the home of a session, and fetches what its client has missed.
   * One that is on its way already comes once.
   *
   * @returns Why that cannot be had, if another node knows.
   */
  begin(id: string, comer: Comer): Promise<ResetReason | undefined> {
    let move = this.#moves.get(id);
    if (move === undefined) {
      move = this.#fetch(id, comer).finally(() => this.#moves.delete(id));
      this.#moves.set(id, move);
    }
    return move;
  }

  async #fetch(
    id: string,
    { lastEventId, since }: Comer,
  ): Promise<ResetReason | undefined> {
    const previous = await this.#directory.claim(id);
    if (previous === undefined) return undefined;
    const answers = await this.#node.ask(
      { kind: "resume", id, lastEventId },
      { nodes: [previous] },
    );
    const missed = answers.get(previous);
    if (!isMissedEvents(missed)) return isReset(missed) ? missed : "unknown";
    if (!await this.#catchUp(missed)) return "unknown";
    return this.#engine.takeOver(id, lastEventId, missed, since);
  }

  /**
   * Waits for the texts to everyone that a session brings along from elsewhere.
   *
   * @returns Whether they came in time.
   */
  async #catchUp(missed: MissedEvents): Promise<boolean> {
    const deadline = Date.now() + this.#node.answerMs;
    while (this.#engine.log?.isBehind(this.#node.others, missed)) {
      if (Date.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return true;
  }
}

const RESETS: readonly unknown[] = [
  "unknown",
  "purged",
  "future",
] satisfies ResetReason[];

function isReset(answer: unknown): answer is ResetReason {
  return RESETS.includes(answer);
}
