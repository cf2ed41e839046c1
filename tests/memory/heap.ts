import process from "node:process";

const { Bun, gc } = globalThis as {
  Bun?: { gc(full: boolean): void };
  gc?: () => void;
};

/** Collects garbage; for scripts that `measure` runs. */
export async function collect(): Promise<void> {
  if (gc === undefined) Bun!.gc(true);
  else gc();
  // What is let go of in a callback is found the next time.
  await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Bytes of heap in use when nothing more can be collected. */
export async function heapUsed(): Promise<number> {
  let least = Infinity;
  // Some of it is found late: it takes two more looks to be sure that it was all.
  for (let calm = 0; calm < 2; calm++) {
    await collect();
    const { heapUsed } = process.memoryUsage();
    if (heapUsed < least * 0.999) calm = -1;
    least = Math.min(least, heapUsed);
  }
  return least;
}

/** Bytes of objects and their buffers, and what the process has of the machine. */
export function memoryUsed(): { used: number; resident: number } {
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, resident: rss };
}
