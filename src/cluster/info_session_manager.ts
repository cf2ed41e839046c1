import type {
  ErrorReportingOptions,
  InfoOptions,
} from "../contracts/options.ts";
import {
  objectOption,
  resolveInfoOptions,
} from "../contracts/resolve_options.ts";
import { MetadataReplica } from "./metadata/metadata_replica.ts";
import type { ClusterNode } from "./membership/cluster_node.ts";
import { ReplicatedMetadataStore } from "./metadata/replicated_metadata.ts";
import { StoredInfoSessionManager } from "../metadata/stored_info_session_manager.ts";
import {
  type ClusterStreamSessionManager,
  ownedSessionsOf,
} from "./stream_session_manager.ts";

/** Options of an info manager of a cluster. */
export interface ClusterInfoSessionManagerOptions
  extends InfoOptions, ErrorReportingOptions {
  /**
   * The stream manager of the same sessions: a session with an open stream is
   * in use.
   *
   * @default undefined only reads and writes count as use
   */
  readonly streams?: ClusterStreamSessionManager | undefined;
}

/**
 * Remembers what each client said about itself, the same on every node.
 *
 * A write resolves when the other nodes have it. Of two concurrent writes to a
 * field, the newer one wins on all nodes. A session that is unknown here is
 * requested from the others. The metadata of a session that no node used for
 * `idleTimeoutMs` is removed.
 *
 * If a value is invalid, the setter returns a rejected promise and also reports
 * the error to `onError`. It never throws synchronously and never causes an
 * unhandled rejection.
 */
export class ClusterInfoSessionManager extends StoredInfoSessionManager {
  readonly #replica: MetadataReplica;

  /**
   * Creates an empty manager. Its node must not have started.
   *
   * @param node This node.
   * @param options Limits and callbacks.
   * @throws {InvalidArgumentError} If an option is invalid.
   */
  constructor(node: ClusterNode, options?: ClusterInfoSessionManagerOptions) {
    const { onError, streams } = objectOption("options", options);
    const owned = streams && ownedSessionsOf(streams);
    const limits = resolveInfoOptions(options);
    const replica = new MetadataReplica(node, {
      ...limits,
      streams: owned && { has: (id) => owned.isAttached(id) },
      latestEventId: () => streams?.latestEventId,
      onDelete: (id) => owned?.forget(id),
    });
    const store = new ReplicatedMetadataStore(node, replica);
    super(store, limits, onError);
    this.#replica = replica;
  }

  /**
   * Returns the newest event of this node when it learned of a session.
   *
   * @param id The session ID.
   */
  startEventId(id: string): string | undefined {
    return this.#replica.get(id)?.startEventId;
  }
}
