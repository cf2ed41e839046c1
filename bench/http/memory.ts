import process from "node:process";

const { Bun, gc } = globalThis as {
  Bun?: { gc(full: boolean): void };
  gc?: () => void;
};

/**
 * Returns the resident memory of the process in bytes, after a garbage
 * collection.
 */
export function memory(): number {
  if (Bun !== undefined) Bun.gc(true);
  else gc?.();
  return process.memoryUsage().rss;
}
