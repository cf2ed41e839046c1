/**
 * Stands for the load balancer before the servers of `server.ts`, which says how to
 * run it: it gives each connection to the next one, whoever it is from.
 */
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createFront } from "../workers/front.ts";

const ports = process.argv.slice(2).map(Number);
if (ports.length === 0) {
  console.error("Give the ports of the servers.");
  process.exit(2);
}

const front = createFront(() => ports);
front.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  const { port } = front.address() as AddressInfo;
  console.log(`http://127.0.0.1:${port}/mcp`);
});
