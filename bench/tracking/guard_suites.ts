import { HttpTransport } from "@tmcp/transport-http";
import { McpServer } from "tmcp";
import {
  InMemorySessions,
  type Sessions,
  type SessionsOptions,
} from "../../mod.ts";
import { ClusterSessions } from "../../src/cluster/mod.ts";
import { BroadcastChannelBus } from "../../src/broadcast_channel/message_bus.ts";
import { pairedRounds } from "../paired_rounds.ts";
import { absolute, type Suite, times } from "./figures.ts";
import { begin, caller, post, type Serve } from "./tool_calls.ts";

const CALLS = { runs: 5, calls: 200, firstId: 0 };

/** An MCP server with a small tool, and one that asks the client something. */
function createServer(sessions: Sessions): HttpTransport {
  const server: McpServer = new McpServer(
    { name: "bench", version: "1.0.0" },
    { adapter: undefined, capabilities: { tools: {} } },
  );
  const text = (text: string) => ({
    content: [{ type: "text" as const, text }],
  });
  server.tool(
    { name: "small", description: "Answers at once" },
    () => text("done"),
  );
  server.tool({ name: "ask", description: "Asks the client" }, async () => {
    await server.request({ method: "ping", params: {} } as never);
    return text("answered");
  });
  return new HttpTransport(server, {
    path: "/mcp",
    allowedOrigins: [],
    sessionManager: sessions,
    subscriptionManager: sessions.subscriptions,
  });
}

function guarded(sessions: Sessions): Serve {
  const transport = createServer(sessions);
  return (request) =>
    sessions.guard(request, (request) => transport.respond(request));
}

const calls: Suite = {
  name: "guard",
  isShort: true,
  run: async (rounds) => {
    const create = (options: SessionsOptions) => new InMemorySessions(options);
    const [bare, plain, replay] = [
      create({}),
      create({}),
      create({ streams: { replay: {} } }),
    ];
    const transport = createServer(bare);
    const took = await pairedRounds({
      bare: await caller((request) => transport.respond(request), CALLS),
      plain: await caller(guarded(plain), CALLS),
      replay: await caller(guarded(replay), CALLS),
    }, rounds);
    for (const sessions of [bare, plain, replay]) await sessions.close();
    const id = "a small tool call";
    return {
      figures: [
        times(`${id}: guarded / not guarded`, took.plain, took.bare),
        times(
          `${id}, guarded: with replay / without`,
          took.replay,
          took.plain,
          1.15,
        ),
      ],
    };
  },
};

const forwarding: Suite = {
  name: "forwarding",
  isShort: false,
  run: async (rounds) => {
    const cluster = `bench ${crypto.randomUUID()}`;
    const nodes = ["a", "b"].map(() =>
      new ClusterSessions(new BroadcastChannelBus(cluster))
    );
    for (const { ready } of nodes) await ready;
    const [here, there] = nodes.map(guarded) as [Serve, Serve];
    const id = await begin(here);
    const local: number[] = [];
    const remote: number[] = [];
    for (let round = 0; round < 20 * rounds; round++) {
      local.push(await timeAnswer(here, here, id));
      remote.push(await timeAnswer(here, there, id));
    }
    for (const node of nodes) await node.close();
    const name = "an answer to a request of the server";
    return {
      figures: [
        absolute(`${name}, on the same node`, "ms", local),
        absolute(`${name}, on another node`, "ms", remote, 2),
      ],
    };
  },
};

/** The time from the client's answer to the result of the tool, in ms. */
async function timeAnswer(
  serve: Serve,
  answering: Serve,
  id: string,
): Promise<number> {
  const params = { name: "ask", arguments: {} };
  const call = await post(serve, id, { id: 2, method: "tools/call", params });
  const reader = call!.body!.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  const question = JSON.parse(/\{.*\}/.exec(value)![0]) as { id: number };
  const start = performance.now();
  await post(answering, id, { id: question.id, result: {} });
  await reader.read();
  const took = performance.now() - start;
  await reader.cancel();
  return took;
}

/** What the guard costs. */
export const GUARD_SUITES: readonly Suite[] = [calls, forwarding];
