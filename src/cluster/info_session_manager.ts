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
import { SharedInfoSessionManager } from "./metadata/shared_info_session_manager.ts";
import type { ClusterStreamSessionManager } from "./stream_session_manager.ts";

/** Options of a manager of metadata on several nodes. */
export interface ClusterInfoSessionManagerOptions
  extends InfoOptions, ErrorReportingOptions {
  /**
   * The manager of the same sessions' streams: one with an open stream is in use.
   *
   * @default undefined only reads and writes are use
   */
  readonly streams?: ClusterStreamSessionManager | undefined;
}

/**
 * Remembers what each client said of itself, on every node the same.
 *
 * A write resolves when the other nodes have it. Of two writes at the same time the
 * newer one wins, field by field, on all nodes alike. A session that is unknown here
 * is asked for at the others. What no node has used for `idleTimeoutMs` is forgotten.
 *
 * A setter that refuses its value answers with a rejected promise and tells
 * `onError`; it never throws in place and never ends as an unhandled rejection.
 */
export class ClusterInfoSessionManager extends SharedInfoSessionManager {
  readonly #replica: MetadataReplica;

  /**
   * Makes a manager without metadata, before its node starts.
   *
   * @param node Knows the other nodes.
   * @param options Limits, and where refused writes are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(node: ClusterNode, options?: ClusterInfoSessionManagerOptions) {
    const { onError, streams } = objectOption("options", options);
    const replica = new MetadataReplica(node, {
      ...resolveInfoOptions(options),
      streams: streams && { has: (id) => streams.isAttached(id) },
      latestEventId: () => streams?.latestEventId,
      onDelete: (id) => streams?.forget(id),
    });
    super(new ReplicatedMetadataStore(node, replica), onError);
    this.#replica = replica;
  }

  /**
   * The position of this node's events when it heard of a session.
   *
   * @param id The session.
   */
  startEventId(id: string): string | undefined {
    return this.#replica.get(id)?.startEventId;
  }
}
