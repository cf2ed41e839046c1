import type { Sessions } from "@crossmcp/session-manager";
import type { SdkHandler } from "@crossmcp/session-manager/sdk";
import process from "node:process";

/**
 * Closes everything and exits on SIGINT or SIGTERM.
 *
 * @param stopAccepting Tells the HTTP server to accept no new connections, so
 * that clients whose streams end reconnect to another process.
 */
export function stopOnSignal(
  handler: SdkHandler,
  sessions: Sessions,
  stopAccepting: () => unknown,
): void {
  const stop = async () => {
    stopAccepting();
    await handler.close({ drainMs: 10_000 }); // lets running calls finish
    await sessions.close();
    process.exit();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}
