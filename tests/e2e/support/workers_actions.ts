import type { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
import type { RedisSessions } from "@crossmcp/session-manager/redis";
import type { Engine } from "./serve.ts";
import { startServer } from "./server.ts";

/** What a worker does when it is asked to. */
export interface Actions {
  /** How many nodes it knows of, itself included. */
  nodes(): number;
  /** Tells every client that the list of tools changed. */
  renameTools(): void;
  /** The same of prompts. */
  renamePrompts(): void;
  /** Tells subscribers that a resource changed. */
  print(uri: string): void;
  /** Sends a text to some sessions, or to all. */
  send(ids: string[] | undefined, text: string): Promise<void> | void;
  /** Tells whether a session has a stream, on whichever worker. */
  has(id: string): Promise<boolean> | boolean;
  /** The ids of those who subscribed to a resource. */
  subscribers(uri: string): Promise<string[]>;
  logLevel(id: string): Promise<string>;
  /** The same of the sessions of the transport of 2024-11-05. */
  hasSse(id: string): Promise<boolean> | boolean;
  sseSubscribers(uri: string): Promise<string[]>;
  /** How many streams of that transport it has itself. */
  sseStreams(): number;
  /** The sessions that were told that they have missed something. */
  resets(): string[];
  /** The failures that the managers reported. */
  reported(): string[];
}

/** An action to run. */
export interface Call {
  readonly number: number;
  readonly action: keyof Actions;
  readonly args: readonly unknown[];
}

/** What came of it. */
export interface CallResult {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** The sessions of a worker, and what they told it. */
export interface WorkerSessions {
  /** Of Streamable HTTP. */
  readonly http: ClusterNode;
  /** Of the transport of 2024-11-05. */
  readonly sse: ClusterNode;
  readonly resets: string[];
  readonly reported: string[];
}

/** Sessions that are shared by several workers. */
type ClusterNode = BroadcastChannelSessions | RedisSessions;

/** A worker that serves, and does what it is asked to. */
export interface ServingWorker {
  readonly port: number;
  run(call: Call): Promise<CallResult>;
}

/** Serves as one of several workers that share their sessions. */
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
    description: "Which worker answers.",
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
