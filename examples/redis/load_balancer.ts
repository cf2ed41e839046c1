/**
 * Stands in for the load balancer in front of the servers of `server.ts`, which
 * says how to run it: it passes each connection to the next server.
 */
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createLoadBalancer } from "../workers/load_balancer.ts";

const ports = process.argv.slice(2).map(Number);
if (ports.length === 0) {
  console.error("Pass the ports of the servers as arguments.");
  process.exit(2);
}

const loadBalancer = createLoadBalancer(() => ports);
loadBalancer.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  const { port } = loadBalancer.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/mcp`);
});
