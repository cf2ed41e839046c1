import type {
  LossyNetwork,
  TestableClusterNode,
} from "@crossmcp/session-manager/testing";

/** Kills nodes of a network. */
export function killOn(
  network: LossyNetwork,
): (node: TestableClusterNode) => void {
  return (node) => {
    for (const { name, isSelf } of node.nodes()) {
      if (isSelf) network.stop(name);
    }
  };
}
