import { InMemoryStreamSessionManager as Peer } from "@tmcp/session-manager";
import { createChannel, createSession } from "better-sse";
import {
  createServer,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import {
  InMemorySessions,
  InMemoryStreamSessionManager as Ours,
} from "../../mod.ts";
import { toNodeHandler } from "../../src/node/mod.ts";
import { serve } from "../../tests/e2e/support/serve.ts";
import type { Contender } from "./control.ts";
import { digits, padding } from "./events.ts";

/** A server that holds a stream for every request. */
export interface Broadcaster {
  readonly port: number;
  /** Returns the number of streams. */
  readonly sessions: () => number;
  /** Sends an event to all of them. */
  readonly send: (number: number) => void | Promise<void>;
}

/** Starts the server of a contender, on the runtime's own HTTP server. */
export function start(contender: Contender): Promise<Broadcaster> {
  if (contender === "better-sse") return startBetterSse();
  if (contender === "bare") return startBare();
  if (contender === "ours" && isNode) return startNodeHandler();
  return startManager(contender === "peer" ? new Peer() : new Ours());
}

const isNode = !("Deno" in globalThis) && !("Bun" in globalThis);
/** The sessions that are begun before the clients connect. */
const MAX_CONNECTIONS = 5_000;
const HEADERS = { "content-type": "text/event-stream" };
const [HEAD, MIDDLE, TAIL] = [
  'event: message\ndata: {"n":"',
  '","x":"',
  '"}\n\n',
];
const REST = MIDDLE +
  padding((HEAD + digits(0) + MIDDLE + TAIL).length) + TAIL;

function frame(number: number): string {
  return HEAD + digits(number) + REST;
}

/** The smallest possible server around a stream manager. */
async function startManager(streams: Ours | Peer): Promise<Broadcaster> {
  let sessions = 0;
  const served = await serve(() => {
    const id = crypto.randomUUID();
    const body = new ReadableStream({
      start: (controller) => {
        sessions++;
        return streams.create(id, controller);
      },
      cancel: () => {
        sessions--;
        return streams.delete(id);
      },
    });
    return new Response(body, { headers: HEADERS });
  });
  return {
    port: Number(new URL(served.url).port),
    sessions: () => sessions,
    send: (number) => streams.send(undefined, frame(number)),
  };
}

/**
 * Our sessions behind `toNodeHandler`. The guard only serves sessions that it
 * knows. They are begun before, because the others have no such requests.
 */
async function startNodeHandler(): Promise<Broadcaster> {
  const sessions = new InMemorySessions();
  const { streams } = sessions;
  const ids: string[] = [];
  while (ids.length < MAX_CONNECTIONS) {
    const id = crypto.randomUUID();
    await sessions.guard(
      new Request("http://localhost", { method: "POST" }),
      () => new Response(null, { headers: { "mcp-session-id": id } }),
    );
    ids.push(id);
  }
  let count = 0;
  const fetch = ({ url }: Request) => {
    const id = ids.pop()!;
    const headers = { "mcp-session-id": id };
    return sessions.guard(new Request(url, { headers }), () => {
      const body = new ReadableStream({
        start: (controller) => {
          count++;
          streams.create(id, controller);
        },
        cancel: () => {
          count--;
          streams.delete(id);
        },
      });
      return new Response(body, { headers: HEADERS });
    });
  };
  return {
    port: await listen(toNodeHandler({ fetch })),
    sessions: () => count,
    send: (number) => streams.send(undefined, frame(number)),
  };
}

/** Encodes a frame once, and writes it to each response. */
async function startBare(): Promise<Broadcaster> {
  const responses = new Set<ServerResponse>();
  const port = await listen((_, response) => {
    response.writeHead(200, HEADERS).flushHeaders();
    responses.add(response);
    response.once("close", () => responses.delete(response));
  });
  return {
    port,
    sessions: () => responses.size,
    send(number) {
      const bytes = new TextEncoder().encode(frame(number));
      for (const response of responses) response.write(bytes);
    },
  };
}

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** It formats the frame itself, from an object, and gives each event an ID. */
async function startBetterSse(): Promise<Broadcaster> {
  const channel = createChannel();
  const port = await listen(async (request, response) => {
    // Keep-alives and retry fields are not compared.
    const options = { keepAlive: null, retry: null };
    channel.register(await createSession(request, response, options));
  });
  const event = `data:{"n":"${digits(0)}","x":""}\n` + "event:message\n" +
    `id:${crypto.randomUUID()}\n\n`;
  const x = padding(event.length);
  return {
    port,
    sessions: () => channel.sessionCount,
    send: (number) => void channel.broadcast({ n: digits(number), x }),
  };
}
