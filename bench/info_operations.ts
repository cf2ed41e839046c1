import type { InfoSessionManager as Peer } from "@tmcp/session-manager";
import type { InfoSessionManager as Ours } from "../mod.ts";

/** A metadata manager, ours or the peer's. */
export type Info = Ours | Peer;

/** The number of sessions, and of resources that they subscribe to. */
const [SESSIONS, RESOURCES] = [10_000, 100];

const CLIENT = { name: "example-client", version: "1.2.3" };
const CAPABILITIES = {
  roots: { listChanged: true },
  sampling: {},
  elicitation: {},
};
const ids = Array.from({ length: SESSIONS }, () => crypto.randomUUID());

/** Stores the metadata of all sessions. */
export async function populated<Manager extends Info>(
  info: Manager,
): Promise<Manager> {
  for (const at of ids.keys()) await store(info, at);
  return info;
}

/** Does something with the session of this turn. */
export type Operation = (info: Info, turn: number) => unknown;

/**
 * The measured operations. Each leaves the state unchanged, except for the time
 * of last use.
 */
export const OPERATIONS: Record<string, Operation> = {
  "set the client info": (info, turn) => info.setClientInfo(id(turn), CLIENT),
  "get the client info": (info, turn) => info.getClientInfo(id(turn)),
  "get the capabilities": (info, turn) => info.getClientCapabilities(id(turn)),
  "set the log level": (info, turn) => info.setLogLevel(id(turn), "warning"),
  "get the log level": (info, turn) => info.getLogLevel(id(turn)),
  "subscribe and unsubscribe": async (info, turn) => {
    await info.addSubscription(id(turn), uri(turn + 1));
    await info.removeSubscription(id(turn), uri(turn + 1));
  },
  "get the 100 subscribers of a resource": (info, turn) =>
    info.getSubscriptions(uri(turn)),
  "create and delete a session": async (info, turn) => {
    await info.delete(id(turn));
    await store(info, turn);
  },
};

/** Stores the metadata of one session. */
export async function store(info: Info, turn: number): Promise<void> {
  await info.setClientInfo(id(turn), CLIENT);
  await info.setClientCapabilities(id(turn), CAPABILITIES);
  await info.setLogLevel(id(turn), "info");
  await info.addSubscription(id(turn), uri(turn));
}

function id(turn: number): string {
  return ids[turn % SESSIONS]!;
}

function uri(turn: number): string {
  return `file:///resource-${turn % RESOURCES}`;
}
