import { InMemoryStreamSessionManager as Peer } from "@tmcp/session-manager";
import { createChannel, createSession } from "better-sse";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { InMemoryStreamSessionManager as Ours } from "../../mod.ts";
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
  return startManager(contender === "ours" ? new Ours() : new Peer());
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
    return new Response(body, {
      headers: { "content-type": "text/event-stream" },
    });
  });
  const [head, middle, tail] = [
    'event: message\ndata: {"n":"',
    '","x":"',
    '"}\n\n',
  ];
  const rest = middle +
    padding((head + digits(0) + middle + tail).length) + tail;
  return {
    port: Number(new URL(served.url).port),
    sessions: () => sessions,
    send: (number) => streams.send(undefined, head + digits(number) + rest),
  };
}

/** It formats the frame itself, from an object, and gives each event an ID. */
async function startBetterSse(): Promise<Broadcaster> {
  const channel = createChannel();
  const server = createServer(async (request, response) => {
    // Keep-alives and retry fields are not compared.
    const options = { keepAlive: null, retry: null };
    channel.register(await createSession(request, response, options));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const frame = `data:{"n":"${digits(0)}","x":""}\n` + "event:message\n" +
    `id:${crypto.randomUUID()}\n\n`;
  const x = padding(frame.length);
  return {
    port: (server.address() as AddressInfo).port,
    sessions: () => channel.sessionCount,
    send: (number) => void channel.broadcast({ n: digits(number), x }),
  };
}
