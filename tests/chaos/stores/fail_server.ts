import type { ServerProcess } from "../../support/server_process.ts";
import type { FaultName } from "../faults.ts";

/** Kills or stops a server. Returns a function that ends that. */
export async function failServer(
  server: ServerProcess,
  fault: FaultName,
): Promise<() => Promise<void>> {
  if (fault === "kill") {
    await server.kill();
    return () => server.start();
  }
  if (fault !== "pause") throw new Error(`A server has no fault "${fault}".`);
  server.signal("SIGSTOP");
  // deno-lint-ignore require-await
  return async () => server.signal("SIGCONT");
}
