import process from "node:process";

const { Bun, gc } = globalThis as {
  Bun?: { gc(full: boolean): void };
  gc?: () => void;
};

/** Collects garbage; for scripts that `measure` runs. */
export async function collect(): Promise<void> {
  if (gc === undefined) Bun!.gc(true);
  else gc();
  // Objects released in a callback are only found the next time.
  await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Returns the bytes of heap in use once nothing more can be collected. */
export async function heapUsed(): Promise<number> {
  let least = Infinity;
  // Some garbage is found late: only after two rounds without change is all of
  // it gone.
  for (let unchanged = 0; unchanged < 2; unchanged++) {
    await collect();
    const { heapUsed } = process.memoryUsage();
    if (heapUsed < least * 0.999) unchanged = -1;
    least = Math.min(least, heapUsed);
  }
  return least;
}

/**
 * Returns by how many bytes the heap grows with each round of something: the
 * least, because what leaks, leaks in each round.
 */
export async function growthOf(
  act: () => Promise<unknown>,
  rounds: number,
): Promise<number> {
  let before = await heapUsed();
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    await act();
    const after = await heapUsed();
    least = Math.min(least, after - before);
    before = after;
  }
  return least;
}

/** Returns the bytes of objects and their buffers, and the resident memory. */
export function memoryUsed(): { used: number; resident: number } {
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, resident: rss };
}
