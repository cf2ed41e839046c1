import { ClusterNode } from "../cluster/membership/cluster_node.ts";
import {
  type ClusterOptions,
  resolveClusterOptions,
} from "../cluster/membership/options.ts";
import type { ErrorReportingOptions } from "../contracts/options.ts";
import { objectOption } from "../contracts/resolve_options.ts";
import { BroadcastChannelBus } from "./message_bus.ts";

/** Creates the node of a manager that has its own channel. */
export function createChannelNode(
  name: string,
  manager: string,
  options:
    | ErrorReportingOptions & { cluster?: ClusterOptions | undefined }
    | undefined,
): ClusterNode {
  const { cluster, onError } = objectOption("options", options);
  return new ClusterNode(
    new BroadcastChannelBus(name, manager),
    resolveClusterOptions(cluster),
    onError,
  );
}
