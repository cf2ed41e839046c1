import type { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
import type { RedisSessions } from "@crossmcp/session-manager/redis";
import type { Engine } from "./serve.ts";
import { startServer } from "./server.ts";

/** Actions that tests run in a worker. */
export interface Actions {
  /** Returns the number of known nodes, including this one. */
  nodes(): number;
  /** Notifies all clients that the list of tools changed. */
  renameTools(): void;
  /** Notifies all clients that the list of prompts changed. */
  renamePrompts(): void;
  /** Notifies subscribers that a resource was updated. */
  print(uri: string): void;
  /** Sends a frame to some sessions, or to all. */
  send(ids: string[] | undefined, text: string): Promise<void> | void;
  /** Returns whether a session has a stream on any worker. */
  has(id: string): Promise<boolean> | boolean;
  /** Returns the IDs of the sessions that are subscribed to a resource. */
  subscribers(uri: string): Promise<string[]>;
  logLevel(id: string): Promise<string>;
  /** Like `has`, for sessions of HTTP with SSE. */
  hasSse(id: string): Promise<boolean> | boolean;
  sseSubscribers(uri: string): Promise<string[]>;
  /** Returns the number of HTTP with SSE streams on this worker. */
  sseStreams(): number;
  /** Returns the IDs of the sessions that got a reset. */
  resets(): string[];
  /** Returns the errors that were reported to `onError`. */
  reported(): string[];
}

/** An action to run. */
export interface Call {
  readonly number: number;
  readonly action: keyof Actions;
  readonly args: readonly unknown[];
}

/** The result of an action. */
export interface CallResult {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** The sessions of a worker and what they reported. */
export interface WorkerSessions {
  /** Sessions of Streamable HTTP. */
  readonly http: ClusterNode;
  /** Sessions of HTTP with SSE. */
  readonly sse: ClusterNode;
  readonly resets: string[];
  readonly reported: string[];
}

/** Sessions that are shared with other workers. */
type ClusterNode = BroadcastChannelSessions | RedisSessions;

/** A worker that is listening and runs actions. */
export interface ServingWorker {
  readonly port: number;
  run(call: Call): Promise<CallResult>;
}

/** Starts the server of one of several workers that share their sessions. */
export async function serveWorker(
  name: string,
  engine: Engine,
  { http, sse, resets, reported }: WorkerSessions,
): Promise<ServingWorker> {
  const server = await startServer({
    engine,
    managers: http,
    sseManagers: sse,
    guard: async (request, respond) => {
      const response = await http.guard(request, respond);
      response.headers.set("x-worker", name);
      return response;
    },
  });
  server.mcp.tool({
    name: "which-worker",
    description: "Returns the name of the worker.",
  }, () => ({ content: [{ type: "text", text: name }] }));
  await Promise.all([http.ready, sse.ready]);
  const actions: Actions = {
    nodes: () => Math.min(http.nodes().length, sse.nodes().length),
    renameTools: () => server.mcp.changed("tools"),
    renamePrompts: () => server.mcp.changed("prompts"),
    print: (uri) => server.mcp.changed("resource", uri),
    send: (ids, text) => http.streams.send(ids, text),
    has: (id) => http.streams.has(id),
    subscribers: (uri) => http.info.getSubscriptions(uri),
    logLevel: (id) => http.info.getLogLevel(id),
    hasSse: (id) => sse.streams.has(id),
    sseSubscribers: (uri) => sse.info.getSubscriptions(uri),
    sseStreams: () => sse.stats().attached,
    resets: () => resets,
    reported: () => reported,
  };
  return {
    port: Number(server.httpUrl.port),
    run: async ({ number, action, args }) => {
      try {
        const run = actions[action] as (...args: readonly unknown[]) => unknown;
        return { number, value: await run(...args) };
      } catch (error) {
        return { number, error: String(error) };
      }
    },
  };
}
