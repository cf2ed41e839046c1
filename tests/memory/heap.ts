import process from "node:process";

const { Bun, gc } = globalThis as {
  Bun?: { gc(full: boolean): void };
  gc?: () => void;
};

/** Collects all garbage there is; for scripts that `measure` runs. */
export async function collect(passes: number = 3): Promise<void> {
  const run = gc ?? (() => Bun!.gc(true));
  for (let pass = 0; pass < passes; pass++) {
    run();
    // What a callback lets go of is found by the next pass.
    await new Promise((resolve) => setTimeout(resolve, passes === 1 ? 0 : 50));
  }
}

/** Bytes of heap in use after a full collection. */
export async function heapUsed(): Promise<number> {
  await collect();
  return process.memoryUsage().heapUsed;
}

/** Bytes of objects and their buffers, and what the process has of the machine. */
export function memoryUsed(): { used: number; resident: number } {
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, resident: rss };
}
