import process from "node:process";

const { Bun, gc } = globalThis as {
  Bun?: { gc(full: boolean): void };
  gc?: () => void;
};

/** How many bytes of the machine's memory the process has, without garbage. */
export function memory(): number {
  if (Bun !== undefined) Bun.gc(true);
  else gc?.();
  return process.memoryUsage().rss;
}
