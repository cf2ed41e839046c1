/**
 * The operations on metadata, for `deno bench`: among 10,000 sessions with
 * metadata and 100 resources, of which each session subscribes to one. Ours
 * stores and returns copies; the peer stores and returns the object that it was
 * given.
 */
import { InMemoryInfoSessionManager as Peer } from "@tmcp/session-manager";
import { InMemoryInfoSessionManager as Ours } from "../mod.ts";
import { OPERATIONS, populated } from "./info_operations.ts";

const CONTENDERS = {
  "@crossmcp/session-manager": await populated(new Ours()),
  "@tmcp/session-manager": await populated(new Peer()),
};

for (const [group, operation] of Object.entries(OPERATIONS)) {
  for (const [name, info] of Object.entries(CONTENDERS)) {
    let turn = 0;
    Deno.bench({
      name,
      group: `${group}, 100 times`,
      baseline: info instanceof Ours,
      async fn() {
        for (let left = 100; left > 0; left--) await operation(info, turn++);
      },
    });
  }
}
