import type {
  GuardOptions,
  Respond,
  SessionGate,
} from "../contracts/guarding.ts";
import { guard } from "../http/guard.ts";
import { createSessionGate } from "../http/guarded_sessions.ts";
import type { CloseOptions } from "../contracts/options.ts";
import { resolveCloseOptions } from "../contracts/resolve_options.ts";
import type { Sessions } from "../contracts/sessions.ts";
import type { SessionsStats } from "../contracts/stats.ts";
import type {
  ClusterNode,
  ClusterStats,
  NodeInfo,
} from "./membership/cluster_node.ts";
import type { SharedInfoSessionManager } from "./metadata/shared_info_session_manager.ts";
import type { ClusterStreamSessionManager } from "./stream_session_manager.ts";
import type { ClusterSubscriptionManager } from "./subscription_manager.ts";

/** What one node of several counts. */
export interface ClusterSessionsStats extends SessionsStats {
  /** What it counts of the others. */
  readonly cluster: ClusterStats;
}

/** What {@linkcode ClusteredSessions} are made of. */
export interface ClusteredSessionsParts<Info extends SharedInfoSessionManager> {
  readonly node: ClusterNode;
  readonly streams: ClusterStreamSessionManager;
  readonly info: Info;
  readonly subscriptions: ClusterSubscriptionManager;
  readonly ready: Promise<void>;
  /** Leaves the other nodes. */
  readonly disconnect: () => Promise<void>;
}

/** Sessions of one of several nodes, whatever they share. */
export class ClusteredSessions<
  Info extends SharedInfoSessionManager = SharedInfoSessionManager,
> implements Sessions {
  /** The long-lived streams of the session era (2025-11-25 and before). */
  readonly streams: ClusterStreamSessionManager;
  /** What each client of the session era said of itself. */
  readonly info: Info;
  /** The `subscriptions/listen` streams of the per-request era (2026-07-28). */
  readonly subscriptions: ClusterSubscriptionManager;
  /**
   * Resolves when the other nodes were found and what they have is known here. What
   * is done before works, but may not reach all of them.
   */
  readonly ready: Promise<void>;
  readonly #node: ClusterNode;
  readonly #disconnect: () => Promise<void>;
  readonly #gate: SessionGate;

  /**
   * Makes one of its managers.
   *
   * @param parts The managers, and their node.
   */
  constructor(parts: ClusteredSessionsParts<Info>) {
    this.streams = parts.streams;
    this.info = parts.info;
    this.subscriptions = parts.subscriptions;
    this.ready = parts.ready;
    this.#node = parts.node;
    this.#disconnect = parts.disconnect;
    this.#gate = createSessionGate(this);
  }

  /** The nodes that live, this one first, as far as this one knows. */
  nodes(): NodeInfo[] {
    return this.#node.nodes();
  }

  /**
   * Answers a request with a transport, and holds it to the rules for sessions of
   * MCP 2025-11-25 (Transports, "Session Management"): 400, 404, the newest stream
   * wins, resume, 503. {@linkcode Sessions} has them in full. A session that was
   * begun on one node is every node's; where nobody can say whether it exists, it is
   * answered with 503.
   *
   * @param request The request.
   * @param respond The transport. `null` for a request that is not its own becomes
   * an empty 404.
   * @param options Who sends the request.
   * @throws {InvalidArgumentError} For a principal that is no string; as a rejected
   * promise.
   */
  guard(
    request: Request,
    respond: Respond,
    options?: GuardOptions,
  ): Promise<Response> {
    return guard(this.#gate, request, respond, options);
  }

  /** What this node has counted so far. It costs a look at each of its streams. */
  stats(): ClusterSessionsStats {
    return {
      ...this.streams.stats(),
      expired: this.info.expired,
      cluster: this.#node.stats(),
    };
  }

  /**
   * Ends every stream and subscription of this node, and leaves the others, which go
   * on. Calling it again changes nothing, or ends what a drain has left.
   *
   * @param options Whether to take time for it. Meanwhile clients that come back to
   * other nodes get what they missed.
   * @throws {InvalidArgumentError} For an option that is out of range; as a
   * rejected promise.
   */
  async close(options?: CloseOptions): Promise<void> {
    resolveCloseOptions(options);
    await Promise.all([
      this.streams.close(options),
      this.subscriptions.dispose(),
    ]);
    await this.#disconnect();
    await this.info.close();
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
