import type { InfoSessionManager } from "../../contracts/info_session_manager.ts";
import type { Sessions } from "../../contracts/sessions.ts";
import {
  type ClientCapabilities,
  type ClientInfo,
  LOGGING_LEVELS,
  type LoggingLevel,
} from "../../protocol/mcp_types.ts";
import { asObject, type InitializeParams } from "../messages.ts";

/** Stores what a client said about itself. */
export function storeClient(
  info: InfoSessionManager,
  id: string,
  { clientInfo, capabilities }: InitializeParams,
): Promise<void> {
  return settled([
    () => info.setClientInfo(id, clientInfo as ClientInfo),
    () => info.setClientCapabilities(id, capabilities as ClientCapabilities),
  ]);
}

/**
 * Stores what a message of a client changes for the rest of its session: the
 * log level, or a resource subscription. Undefined for most messages.
 */
export function storeChange(
  info: InfoSessionManager,
  id: string,
  message: unknown,
): Promise<void> | undefined {
  const { method, params } = asObject(message);
  const { level, uri } = asObject(params);
  if (method === "logging/setLevel") {
    const isLevel = LOGGING_LEVELS.includes(level as LoggingLevel);
    if (!isLevel) return undefined;
    return settled([() => info.setLogLevel(id, level as LoggingLevel)]);
  }
  if (typeof uri !== "string") return undefined;
  if (method === "resources/subscribe") {
    return settled([() => info.addSubscription(id, uri)]);
  }
  if (method === "resources/unsubscribe") {
    return settled([() => info.removeSubscription(id, uri)]);
  }
  return undefined;
}

/** Deletes everything that is stored for a session, and ends its stream. */
export function deleteSession(
  { info, streams }: Pick<Sessions, "info" | "streams">,
  id: string,
): Promise<void> {
  return settled([() => info.delete(id), () => streams.delete(id)]);
}

/** Makes changes. The managers report those that fail. */
async function settled(
  changes: readonly (() => void | Promise<void>)[],
): Promise<void> {
  await Promise.allSettled(changes.map(async (change) => await change()));
}
