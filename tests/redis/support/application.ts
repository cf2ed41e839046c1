import { after, before } from "node:test";
import { type Clients, connect } from "./clients.ts";
import { RedisServer } from "./redis_server.ts";

/**
 * A server, and the clients of one application; all nodes of a group use them.
 */
export function application(): { clients: Clients; server: RedisServer } {
  const made = {} as { clients: Clients; server: RedisServer };
  before(async () => {
    made.server = await RedisServer.start();
    made.clients = await connect(made.server);
  });
  after(async () => {
    await made.clients?.[Symbol.asyncDispose]();
    await made.server?.[Symbol.asyncDispose]();
  });
  return made;
}
