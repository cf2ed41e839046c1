import type {
  LossyNetwork,
  TestableClusterNode,
} from "@crossmcp/session-manager/testing";

/** Lets nodes die on a network. */
export function killOn(
  network: LossyNetwork,
): (node: TestableClusterNode) => void {
  return (node) => {
    for (const { name, isSelf } of node.nodes()) {
      if (isSelf) network.stop(name);
    }
  };
}
