/**
 * Sessions that are shared by processes and machines, over NATS.
 *
 * Use {@linkcode NatsSessions} in every process, with the same name.
 *
 * @module
 */

export { NatsSessions, type NatsSessionsOptions } from "./sessions.ts";
export { NatsBus } from "./nats_bus.ts";
export type { NatsConnection } from "./connection.ts";
export type {
  FlowControl,
  MessageBus,
} from "../cluster/messaging/message_bus.ts";
