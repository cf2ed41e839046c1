/**
 * Sessions that are shared by processes and machines, over `LISTEN` and `NOTIFY`
 * of PostgreSQL.
 *
 * Use {@linkcode PostgresSessions} in every process, with the same name.
 *
 * @module
 */

export { PostgresSessions, type PostgresSessionsOptions } from "./sessions.ts";
export { PostgresBus } from "./postgres_bus.ts";
export type {
  PostgresClient,
  PostgresNotification,
  PostgresPool,
} from "./pool.ts";
export type {
  FlowControl,
  MessageBus,
} from "../cluster/messaging/message_bus.ts";
