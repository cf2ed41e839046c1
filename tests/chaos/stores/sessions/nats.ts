import { NatsSessions } from "@crossmcp/session-manager/nats";
import { connectTo } from "../../../nats/support/nats_server.ts";
import type { MakeSessions } from "../store.ts";

/** Connects a node to a NATS server. */
export const makeNatsSessions: MakeSessions = async ([port], _, options) => {
  const connection = await connectTo(port!, true);
  return {
    sessions: new NatsSessions("chaos", connection, options),
    disconnect: () => connection.close(),
  };
};
