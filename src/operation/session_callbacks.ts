import type { SessionsOptions } from "../contracts/options.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";
import { reportingCallback, safeCallback } from "../runtime/callbacks.ts";

/**
 * Calls `onBegin` and `onEnd` with the sessions of an info manager.
 *
 * @param info The info manager.
 * @param options The options of the sessions.
 * @param onGone Called with sessions that `sessions.end` has ended on any node.
 */
export function connectCallbacks(
  info: StoredInfoSessionManager,
  { onBegin, onEnd, onError }: Partial<SessionsOptions>,
  onGone: (id: string) => void,
): void {
  const report = safeCallback("onError", onError);
  sessionRegistryOf(info).events.listen({
    onBegin: reportingCallback("onBegin", onBegin, report),
    onEnd: reportingCallback("onEnd", onEnd, report),
    onGone: reportingCallback("onGone", onGone, report),
  });
}
