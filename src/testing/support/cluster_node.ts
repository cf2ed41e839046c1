import type { MessageBus } from "../../cluster/messaging/message_bus.ts";
import type { ClusterOptions } from "../../cluster/membership/options.ts";
import type { SessionsOptions } from "../../contracts/options.ts";
import type { Sessions } from "../../contracts/sessions.ts";
import type { SessionsStats } from "../../contracts/stats.ts";

/** What `testCluster` tests: one of several nodes that share their sessions. */
export interface TestableClusterNode extends Sessions {
  /** Resolves when the other nodes were found and their data was received. */
  readonly ready: Promise<void>;
  /** The live nodes, including this one. */
  nodes(): readonly { readonly name: string; readonly isSelf: boolean }[];
  /** The counters. */
  stats(): SessionsStats & {
    readonly cluster: {
      /** How many messages were lost for good. */
      readonly lost: number;
    };
  };
}

/** The options that a test passes to a node. */
export interface ClusterNodeOptions extends SessionsOptions {
  /** The name of the node, and short times for C6. */
  readonly cluster?: ClusterOptions | undefined;
}

/** Creates the nodes of `testCluster`. */
export interface ClusterFactory {
  /**
   * Creates a node.
   *
   * @param cluster The name of its cluster. Every test has names of its own.
   * @param options What the test needs other than the defaults.
   */
  readonly createNode: (
    cluster: string,
    options: ClusterNodeOptions,
  ) => TestableClusterNode | Promise<TestableClusterNode>;
  /**
   * Creates another bus that the nodes of a cluster can be on. The test starts
   * and closes it.
   *
   * @default undefined the bus itself and C13 are not tested
   */
  readonly createBus?:
    | ((cluster: string) => MessageBus | Promise<MessageBus>)
    | undefined;
  /**
   * Makes a node crash: the others must receive nothing from it any more. It is
   * closed when the test ends, like all others.
   *
   * @default undefined crashes are not tested
   */
  readonly kill?: ((node: TestableClusterNode) => unknown) | undefined;
}
