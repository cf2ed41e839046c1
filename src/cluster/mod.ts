/** Several nodes act as one, over a message bus of your own. @module */

export type { FlowControl, MessageBus } from "./messaging/message_bus.ts";
export { ClusterSessions, type ClusterSessionsOptions } from "./sessions.ts";
export type {
  ClusteredSessions,
  ClusterSessionsStats,
} from "./clustered_sessions.ts";
export type { ClusterStats, NodeInfo } from "./membership/node_info.ts";
export type { ClusterOptions } from "./membership/options.ts";
export type { ClusterStreamSessionManager } from "./stream_session_manager.ts";
export type { ClusterStreamSessionManagerOptions } from "./stream_options.ts";
export type {
  ClusterInfoSessionManager,
  ClusterInfoSessionManagerOptions,
} from "./info_session_manager.ts";
export type {
  StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";
export type {
  ClusterSubscriptionManager,
  ClusterSubscriptionManagerOptions,
} from "./subscription_manager.ts";
