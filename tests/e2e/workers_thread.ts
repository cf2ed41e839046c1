// One of several workers that share their sessions: workers.ts starts it.
import { BroadcastChannelSessions } from "@crossmcp/session-manager";
import { parentPort, workerData } from "node:worker_threads";
import type { Engine } from "./serve.ts";
import { startServer } from "./server.ts";

/** What a worker has to know. */
export interface WorkerOptions {
  readonly name: string;
  /** The workers that share their sessions have it in common. */
  readonly group: string;
  readonly engine: Engine;
}

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
export interface Order {
  readonly number: number;
  readonly action: keyof Actions;
  readonly args: readonly unknown[];
}

/** What came of it. */
export interface Outcome {
  readonly number: number;
  readonly value?: unknown;
  readonly error?: string;
}

const { name, group, engine } = workerData as WorkerOptions;
const reported: string[] = [];
const resets: string[] = [];
const options = {
  streams: { replay: {} },
  onReset: (id: string) => resets.push(id),
  onError: (error: Error) => reported.push(String(error)),
};
const sessions = new BroadcastChannelSessions(`${group} http`, options);
const sse = new BroadcastChannelSessions(`${group} sse`, {
  onError: options.onError,
});
const server = await startServer({
  engine,
  managers: sessions,
  sseManagers: sse,
  guard: async (request, respond) => {
    const response = await sessions.guard(request, respond);
    response.headers.set("x-worker", name);
    return response;
  },
});
server.mcp.tool({
  name: "which-worker",
  description: "Which worker answers.",
}, () => ({ content: [{ type: "text", text: name }] }));
await Promise.all([sessions.ready, sse.ready]);

const actions: Actions = {
  nodes: () => Math.min(sessions.nodes().length, sse.nodes().length),
  renameTools: () => server.mcp.changed("tools"),
  renamePrompts: () => server.mcp.changed("prompts"),
  print: (uri) => server.mcp.changed("resource", uri),
  send: (ids, text) => sessions.streams.send(ids, text),
  has: (id) => sessions.streams.has(id),
  subscribers: (uri) => sessions.info.getSubscriptions(uri),
  logLevel: (id) => sessions.info.getLogLevel(id),
  hasSse: (id) => sse.streams.has(id),
  sseSubscribers: (uri) => sse.info.getSubscriptions(uri),
  sseStreams: () => sse.stats().attached,
  resets: () => resets,
  reported: () => reported,
};

parentPort!.on("message", async ({ number, action, args }: Order) => {
  let outcome: Outcome;
  try {
    const run = actions[action] as (...args: readonly unknown[]) => unknown;
    outcome = { number, value: await run(...args) };
  } catch (error) {
    outcome = { number, error: String(error) };
  }
  parentPort!.postMessage(outcome);
});
parentPort!.postMessage(Number(server.httpUrl.port));
