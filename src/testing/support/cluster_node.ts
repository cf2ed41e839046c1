import type { MessageBus } from "../../cluster/messaging/message_bus.ts";
import type { ClusterOptions } from "../../cluster/membership/options.ts";
import type { SessionsOptions } from "../../contracts/options.ts";
import type { Sessions } from "../../contracts/sessions.ts";
import type { SessionsStats } from "../../contracts/stats.ts";

/** What `testCluster` tests: one of several nodes that share their sessions. */
export interface TestableClusterNode extends Sessions {
  /** Settles when the other nodes are found and what they have is known. */
  readonly ready: Promise<void>;
  /** The nodes that live, this one included. */
  nodes(): readonly { readonly name: string; readonly isSelf: boolean }[];
  /** What was counted so far. */
  stats(): SessionsStats & {
    readonly cluster: {
      /** How many texts were lost for good. */
      readonly lost: number;
    };
  };
}

/** What a test asks of a node. */
export interface ClusterNodeOptions extends SessionsOptions {
  /** The name of the node, and short times for C6. */
  readonly cluster?: ClusterOptions | undefined;
}

/** Where the nodes of `testCluster` come from. */
export interface ClusterFactory {
  /**
   * Makes a node.
   *
   * @param cluster The name of its cluster. Every test has names of its own.
   * @param options What the test needs other than the defaults.
   */
  readonly createNode: (
    cluster: string,
    options: ClusterNodeOptions,
  ) => TestableClusterNode | Promise<TestableClusterNode>;
  /**
   * Makes another bus that the nodes of a cluster can be on. The test starts and
   * closes it.
   *
   * @default undefined the bus itself and C13 are not tested
   */
  readonly createBus?:
    | ((cluster: string) => MessageBus | Promise<MessageBus>)
    | undefined;
  /**
   * Lets a node die without a word: the others must not hear of it any more. It
   * is closed when the test ends, as all are.
   *
   * @default undefined what becomes of dead nodes is not tested
   */
  readonly kill?: ((node: TestableClusterNode) => unknown) | undefined;
}
