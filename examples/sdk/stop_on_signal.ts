import type { Sessions } from "@crossmcp/session-manager";
import type { SdkHandler } from "@crossmcp/session-manager/sdk";
import process from "node:process";

/** Closes everything and exits on SIGINT or SIGTERM. */
export function stopOnSignal(handler: SdkHandler, sessions: Sessions): void {
  const stop = async () => {
    await handler.close({ drainMs: 10_000 }); // lets running calls finish
    await sessions.close();
    process.exit();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}
