import { ClusterError } from "../../errors.ts";
import { waitAtMost } from "../../runtime/deadline.ts";
import { groupByNode } from "../directory/by_node.ts";
import type { SessionDirectory } from "../directory/session_directory.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";

/** Sends a message to the owners of its sessions. */
export type SendToOwners = (owners: ReadonlyMap<string, string[]>) => void;

/** A message that waits until the owners of its sessions are known. */
interface DeferredSend {
  readonly ids: readonly string[];
  readonly length: number;
  readonly send: SendToOwners;
}

/** The maximum length of all deferred messages, in characters. */
const MAX_DEFERRED_LENGTH = 67_108_864;
/** The length that a session adds to a deferred message, in characters. */
const SESSION_LENGTH = 40;

/**
 * Finds the owners of sessions, and keeps the order of messages: while a
 * directory looks owners up in a shared store, later messages wait.
 */
export class OwnerLookups {
  readonly #node: ClusterNode;
  readonly #directory: SessionDirectory;
  /** Settles when no more messages wait; `undefined` if none do. */
  #running: Promise<void> | undefined;
  #deferred: DeferredSend[] = [];
  #deferredLength = 0;

  /**
   * @param node This node.
   * @param directory Knows the owners of sessions.
   */
  constructor(node: ClusterNode, directory: SessionDirectory) {
    this.#node = node;
    this.#directory = directory;
  }

  /**
   * Sends a broadcast after all earlier messages: at once, if none waits.
   *
   * @param length The length of the message, in characters.
   * @param send Sends it.
   */
  broadcast(length: number, send: () => void): void {
    if (this.#running === undefined) send();
    else this.#defer({ ids: [], length, send });
  }

  /**
   * Sends a message when the owners of its sessions are known and all earlier
   * messages were sent: at once, if neither takes time.
   *
   * @param ids The session IDs.
   * @param length The length of the message, in characters.
   * @param send Called with the owners, other than this node.
   * @returns If the message waits, a promise that resolves when it was sent, or
   * after `requestTimeoutMs`.
   */
  send(
    ids: readonly string[],
    length: number,
    send: SendToOwners,
  ): void | Promise<void> {
    if (this.#running === undefined) {
      const owners = this.#directory.groupByOwner(ids);
      if (!(owners instanceof Promise)) return send(owners);
      this.#running = this.#run(owners.then(send));
    } else {
      this.#defer({ ids, length: length + SESSION_LENGTH * ids.length, send });
    }
    return waitAtMost(this.#running, this.#node.requestTimeoutMs);
  }

  #defer(message: DeferredSend): void {
    this.#deferred.push(message);
    this.#deferredLength += message.length;
    if (this.#deferredLength <= MAX_DEFERRED_LENGTH) return;
    this.#node.report(
      new ClusterError(
        `${this.#deferred.length} messages to other nodes were dropped, because ` +
          "looking up the owners of their sessions takes too long.",
      ),
    );
    this.#deferred = [];
    this.#deferredLength = 0;
  }

  /** Waits for a lookup, then sends the deferred messages in order. */
  async #run(lookup: Promise<void>): Promise<void> {
    await lookup;
    while (this.#deferred.length > 0) {
      const messages = this.#deferred;
      this.#deferred = [];
      this.#deferredLength = 0;
      // One lookup for all of them.
      const ids = new Set(messages.flatMap(({ ids }) => ids));
      const ownerOf = new Map<string, string>();
      for (const [node, sessions] of await this.#directory.groupByOwner(ids)) {
        for (const id of sessions) ownerOf.set(id, node);
      }
      for (const { ids, send } of messages) {
        send(groupByNode(ids, (id) => ownerOf.get(id)));
      }
    }
    this.#running = undefined;
  }
}
