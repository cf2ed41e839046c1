// @ts-types="@types/compression"
import compression from "compression";
// @ts-types="@types/connect"
import connect from "connect";
// @ts-types="@types/express"
import express from "express";
import fastify from "fastify";
import type { NodeHandler } from "@crossmcp/session-manager/node";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Server as NetServer } from "node:net";
import { express4 } from "./express_4.ts";

/** A server on a free local port. */
export interface Listening extends AsyncDisposable {
  /** The URL of the handler. */
  readonly url: URL;
  /** The server. */
  readonly server: NetServer;
}

/** Starts a server with a handler at `/mcp`. */
export type Start = (handler: NodeHandler) => Promise<Listening>;

/** The ways to use a handler, by name. */
export const SERVERS: { readonly [name: string]: Start } = {
  "node:http": (handler) => listenHttp(handler),
  "Express 5": (handler) =>
    listenHttp(express().disable("x-powered-by").all("/mcp", handler)),
  "Express 5 with express.json()": (handler) =>
    listenHttp(express().use(express.json()).all("/mcp", handler)),
  "Express 5, mounted": (handler) => {
    const router = express.Router().use("/", handler);
    return listenHttp(express().use("/mcp", router));
  },
  "Express 4": (handler) => listenHttp(express4().all("/mcp", handler)),
  "Express 4 with express.json()": (handler) =>
    listenHttp(express4().use(express4.json()).all("/mcp", handler)),
  "Express 5 with compression": (handler) =>
    listenHttp(express().use(compression()).all("/mcp", handler)),
  "Connect": (handler) => listenHttp(connect().use("/mcp", handler)),
  "Connect with compression": (handler) =>
    // Its types are those of Express, but it needs nothing of that.
    listenHttp(
      connect().use(compression() as connect.HandleFunction)
        .use("/mcp", handler),
    ),
  "Fastify": startFastify,
};

/** Listens on a free port of 127.0.0.1. */
export async function listenHttp(
  listener: RequestListener,
): Promise<Listening> {
  const server: Server = createServer(listener);
  const url = await listen(server);
  return {
    url,
    server,
    [Symbol.asyncDispose]: () => {
      const closed = close(server);
      server.closeAllConnections();
      return closed;
    },
  };
}

/** Does the same for HTTP/2 without TLS. */
export async function listenHttp2(handler: NodeHandler): Promise<Listening> {
  const server = createHttp2Server(handler);
  return {
    url: await listen(server),
    server,
    [Symbol.asyncDispose]: () => close(server),
  };
}

async function startFastify(handler: NodeHandler): Promise<Listening> {
  const app = fastify();
  app.all("/mcp", (request, reply) => {
    reply.hijack();
    return handler(request.raw, reply.raw, request.body);
  });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return {
    url: new URL("/mcp", url),
    server: app.server,
    [Symbol.asyncDispose]: async () => {
      const closed = app.close();
      app.server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: NetServer): Promise<URL> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return new URL(`http://127.0.0.1:${port}/mcp`);
}

function close(server: NetServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
