import { ServerProcess } from "../../server_process.ts";
import type { NodeConfig } from "./node_config.ts";
import type { RunningNode } from "./running_node.ts";

const COMMAND = [
  Deno.execPath(),
  "run",
  "-A",
  "--unstable-no-legacy-abort",
  `${import.meta.dirname}/process.ts`,
];

/** Starts a node in its own process. */
export async function startProcess(config: NodeConfig): Promise<RunningNode> {
  const server = await ServerProcess.start(COMMAND, {
    NODE_CONFIG: JSON.stringify(config),
  });
  return {
    port: Number(server.url.port),
    pid: server.pid,
    ended: server.ended,
    kill: () => void server.kill(),
    stop: () => void server.stop(),
  };
}
