/**
 * Serves MCP with `node:http`, `node:http2`, Express, Connect and Fastify.
 * Needs the package `@remix-run/node-fetch-server`, which converts requests and
 * responses.
 *
 * @module
 */

export {
  type FetchHandler,
  type FetchOptions,
  type GuardingSessions,
  type NodeHandlerOptions,
  toNodeHandler,
} from "./node_handler.ts";
export type { NodeHandler, NodeRequest, NodeResponse } from "./node_types.ts";
export type { GuardOptions, Respond } from "../contracts/guarding.ts";
