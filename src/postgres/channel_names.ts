import { LruMap } from "../runtime/lru_map.ts";

/** Above this number, the least recently used name is dropped. */
const MAX_NAMES = 10_000;
const encoder = new TextEncoder();

/**
 * The names of channels: one for all nodes of a cluster, and one for each. Names
 * of channels have at most 63 bytes, so they are hashes.
 */
export class ChannelNames {
  readonly #cluster: string;
  readonly #names: LruMap<string | undefined, Promise<string>> = new LruMap(
    MAX_NAMES,
  );

  /** @param cluster The name of the cluster. */
  constructor(cluster: string) {
    this.#cluster = cluster;
  }

  /** Returns the channel of a node; `undefined` for all. */
  of(node: string | undefined): Promise<string> {
    const name = this.#names.get(node) ?? hashOf([this.#cluster, node]);
    this.#names.set(node, name);
    return name;
  }
}

async function hashOf(names: readonly unknown[]): Promise<string> {
  const bytes = encoder.encode(JSON.stringify(names));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = [...digest.subarray(0, 20)].map((byte) =>
    byte.toString(16).padStart(2, "0")
  );
  return `mcp_${hash.join("")}`;
}
