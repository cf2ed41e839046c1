// The process of a node: its test starts it and calls its objects.
import { NatsSessions } from "@crossmcp/session-manager/nats";
import process from "node:process";
import { runNode } from "../../cluster_nodes/node_process.ts";
import { connectTo } from "./nats_server.ts";

const { port } = JSON.parse(process.argv[2]!) as { port: number };

await runNode(async (name, options) =>
  new NatsSessions(name, await connectTo(port), options)
);
