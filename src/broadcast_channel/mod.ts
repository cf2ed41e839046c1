/**
 * Sessions that are shared by the workers of one process, over
 * `BroadcastChannel`.
 *
 * Use {@linkcode BroadcastChannelSessions} in every worker, with the same name.
 *
 * @module
 */

export {
  BroadcastChannelSessions,
  type BroadcastChannelSessionsOptions,
} from "./sessions.ts";
export {
  BroadcastChannelStreamSessionManager,
  type BroadcastChannelStreamSessionManagerOptions,
} from "./stream_session_manager.ts";
export {
  BroadcastChannelInfoSessionManager,
  type BroadcastChannelInfoSessionManagerOptions,
} from "./info_session_manager.ts";
export {
  BroadcastChannelSubscriptionManager,
  type BroadcastChannelSubscriptionManagerOptions,
} from "./subscription_manager.ts";
