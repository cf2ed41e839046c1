/** Resolves when this process is requested to stop. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => resolve();
    Deno.addSignalListener("SIGINT", stop);
    // Windows has no other signals.
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  });
}
