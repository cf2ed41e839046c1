import type { MessagePort } from "node:worker_threads";
import {
  createMcpHandler,
  InMemoryServerEventBus,
} from "@modelcontextprotocol/server";
import { BroadcastChannelSessions } from "../../src/broadcast_channel/mod.ts";
import { serverEventBus } from "../../src/sdk/mod.ts";
import { ListeningStreams } from "../tracking/listening_streams.ts";
import { createSdkServer, guarded, handled } from "../tracking/mcp_servers.ts";
import { begin, caller, post, type Serve } from "../tracking/tool_calls.ts";

/** The first message to a thread. */
export interface ServerSetup {
  /** The cluster of its sessions. */
  readonly cluster: string;
  /** The event bus of its streams: that of the cluster, or the SDK's own. */
  readonly bus: "shared" | "own";
}

/** The server that a command is for. */
export type Kind = "tmcp" | "sdk";

/** What a thread does when it is told to, and the result. */
export interface ServerThread {
  /** Returns the number of nodes in the cluster. */
  nodes(): number;
  /** Begins a session; returns its ID. */
  begin(kind: Kind): Promise<string>;
  /** Calls the tool "small"; returns the time in milliseconds. */
  call(kind: Kind, id: string, calls: number): Promise<number>;
  /** Calls the tool "ask"; returns the ID of its question. */
  ask(id: string): Promise<number>;
  /** Answers a question; returns when that began, in milliseconds. */
  answer(id: string, question: number): Promise<number>;
  /** Returns when the result of the tool "ask" has arrived. */
  result(): Promise<number>;
  /** Opens streams of `subscriptions/listen`. */
  listen(streams: number): Promise<void>;
  /** Publishes an event. */
  publish(): void;
  /** Resolves when the streams have received so many events. */
  received(events: number): Promise<void>;
  close(): Promise<void>;
}

/** Calls a method of a thread. */
export interface Command {
  readonly seq: number;
  readonly method: keyof ServerThread;
  readonly args: readonly unknown[];
}

/** The result of a command. */
export interface Outcome {
  readonly seq: number;
  readonly value?: unknown;
  readonly error?: unknown;
}

/** The time of all threads, in milliseconds. */
const time = () => performance.timeOrigin + performance.now();

/** Runs an MCP server in a thread. */
export async function serveRequests(
  port: MessagePort,
  setup: ServerSetup,
): Promise<void> {
  const thread = await createThread(setup);
  port.on("message", async ({ seq, method, args }: Command) => {
    const run = thread[method] as (...args: readonly unknown[]) => unknown;
    try {
      const value = await run(...args);
      port.postMessage({ seq, value } satisfies Outcome);
    } catch (error) {
      port.postMessage({ seq, error } satisfies Outcome);
    }
  });
  port.postMessage({ seq: 0 } satisfies Outcome);
}

async function createThread(
  { cluster, bus: kind }: ServerSetup,
): Promise<ServerThread> {
  const sessions = new BroadcastChannelSessions(cluster);
  await sessions.ready;
  const servers: Record<Kind, Serve> = {
    tmcp: guarded(sessions),
    sdk: handled(sessions),
  };
  const bus = kind === "own"
    ? new InMemoryServerEventBus()
    : serverEventBus(sessions) as InMemoryServerEventBus;
  const handler = createMcpHandler(createSdkServer, {
    legacy: "reject",
    maxSubscriptions: Infinity,
    bus,
  });
  const streams = new ListeningStreams();
  let asking: ReadableStreamDefaultReader<string> | undefined;
  let firstId = 2;
  return {
    nodes: () => sessions.nodes().length,
    begin: (kind) => begin(servers[kind]),
    call: async (kind, id, calls) => {
      const { run } = await caller(servers[kind], {
        id,
        runs: 1,
        calls,
        firstId,
      });
      firstId += calls;
      const start = performance.now();
      await run();
      return performance.now() - start;
    },
    ask: async (id) => {
      const params = { name: "ask", arguments: {} };
      const message = { id: firstId++, method: "tools/call", params };
      const response = await post(servers.tmcp, id, message);
      asking = response!.body!.pipeThrough(new TextDecoderStream()).getReader();
      const { value = "" } = await asking.read();
      return (JSON.parse(/\{.*\}/.exec(value)![0]) as { id: number }).id;
    },
    answer: async (id, question) => {
      const start = time();
      await post(servers.tmcp, id, { id: question, result: {} });
      return start;
    },
    result: async () => {
      await asking!.read();
      const end = time();
      await asking!.cancel();
      return end;
    },
    listen: async (count) => {
      for (let opened = 0; opened < count; opened++) {
        await streams.open((request) => handler.fetch(request));
      }
    },
    publish: () => bus.publish({ kind: "tools_list_changed" }),
    received: (events) => streams.received(events),
    close: async () => {
      await handler.close();
      await sessions.close();
    },
  };
}
