import { ClusterNode } from "../cluster/membership/cluster_node.ts";
import {
  type ClusterOptions,
  resolveClusterOptions,
} from "../cluster/membership/options.ts";
import type { ReportingOptions } from "../contracts/options.ts";
import { optionGroup } from "../contracts/resolve_options.ts";
import { BroadcastChannelBus } from "./message_bus.ts";

/** The node of a manager that is alone on its channel. */
export function nodeOf(
  name: string,
  manager: string,
  options:
    | ReportingOptions & { cluster?: ClusterOptions | undefined }
    | undefined,
): ClusterNode {
  const { cluster, onError } = optionGroup("options", options);
  return new ClusterNode(
    new BroadcastChannelBus(name, manager),
    resolveClusterOptions(cluster),
    onError,
  );
}
