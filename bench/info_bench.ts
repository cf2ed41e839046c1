/**
 * What the operations on metadata take, for `deno bench`: among 10,000 sessions that
 * have theirs, and 100 resources that each is subscribed to one of. Ours keeps a copy
 * and hands out copies, the peer keeps and hands out the object that it was given.
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
