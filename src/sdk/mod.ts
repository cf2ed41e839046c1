/**
 * Sessions for servers that were built with the official SDK
 * (`@modelcontextprotocol/sdk` 1.x, `@modelcontextprotocol/server` 2.x). Hand in
 * the classes of the SDK; this package does not depend on it.
 *
 * @module
 */
export { createEventStore } from "./event_store.ts";
export { createSdkHandler, type SdkHandler } from "./handler.ts";
export type {
  SdkFetchOptions,
  SdkHandlerOptions,
  SdkHandlerStats,
  SdkServerContext,
} from "./options.ts";
export type {
  CreateMcpHandler,
  SdkAuthInfo,
  SdkEventStore,
  SdkMcpHandler,
  SdkRequestOptions,
  SdkServer,
  SdkServerEvent,
  SdkServerEventBus,
  SdkServerFactory,
  SdkTransport,
  SdkTransportClass,
  SdkTransportOptions,
} from "./sdk_types.ts";
export { serverEventBus } from "./server_event_bus.ts";
