import type { FlowControl } from "./flow_control.ts";

/**
 * Carries texts between the nodes of a cluster: at most once, in any order, and not
 * back to the one that published them. Whatever gets lost, doubled or late on the
 * way, the cluster makes up for.
 *
 * This is the port that a backend supplies; `ClusterSessions` does the rest.
 */
export interface MessageBus {
  /**
   * How to pace what is sent: a message of a far bus is dear, one of a near one may
   * get lost.
   *
   * @default undefined a window of 16, acknowledged within 20 ms
   */
  readonly flowControl?: FlowControl | undefined;
  /**
   * Whether it is known to be out of order: no node is missed while it is.
   *
   * @default undefined it is not
   */
  readonly isDown?: boolean | undefined;
  /**
   * Begins to receive what is published to a node and to all. Called once.
   *
   * @param node The name of this node.
   * @param receive Takes a text. It does not throw.
   * @returns When what others publish from now on is received.
   */
  start(
    node: string,
    receive: (text: string) => void,
  ): void | Promise<void>;
  /**
   * Publishes a text. A failure is reported and made up for like any other loss.
   *
   * @param text The text.
   * @param to The name of the one node that it is for; `undefined` means all.
   */
  publish(text: string, to: string | undefined): void | Promise<void>;
  /** Stops receiving, after what was published before is on its way. */
  close(): void | Promise<void>;
}
