import { DeliveryError, InMemorySessions } from "@crossmcp/session-manager";
import { toNodeHandler } from "@crossmcp/session-manager/node";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
// @ts-types="@types/express"
import express from "express";
import { connect } from "node:http2";
import { describe, it } from "node:test";
import { connectModern } from "../e2e/support/clients.ts";
import { openSocket } from "../e2e/support/raw_socket.ts";
import { until, within } from "../e2e/support/until.ts";
import { listenHttp, listenHttp2 } from "./support/servers.ts";

const JSON_POST = {
  method: "POST",
  headers: { "content-type": "application/json" },
};

describe("toNodeHandler", () => {
  it("passes the principal and the auth of a request to a fetch handler", async () => {
    const handler = toNodeHandler({
      fetch: (_, options) => Response.json(options),
    }, {
      principal: ({ auth }: { auth?: { sub: string } } & Incoming) => auth?.sub,
    });
    await using server = await listenHttp(
      express().use((request, _response, next) => {
        Object.assign(request, { auth: { sub: "alice" } });
        next();
      }).all("/mcp", handler),
    );
    const response = await fetch(server.url);
    assertEquals(await response.json(), {
      principal: "alice",
      authInfo: { sub: "alice" },
    });
  });

  it("serves a handler of the official SDK", async () => {
    const handler = createMcpHandler(() => {
      const server = new McpServer({ name: "official", version: "1.0.0" });
      server.registerTool("greet", {}, () => ({
        content: [{ type: "text", text: "hello" }],
      }));
      return server;
    });
    await using server = await listenHttp(
      express().use(express.json()).all("/mcp", toNodeHandler(handler)),
    );
    await using carol = await connectModern(server.url);
    const { content } = await carol.client.callTool({ name: "greet" });
    assertEquals(content, [{ type: "text", text: "hello" }]);
    await handler.close();
  });

  it("keeps the URL, the headers and the body, parsed or not", async () => {
    const handler = toNodeHandler({
      fetch: async (request) =>
        Response.json({
          path: new URL(request.url).pathname + new URL(request.url).search,
          type: request.headers.get("content-type"),
          isLengthRight: request.headers.get("content-length") ===
            `${(await request.clone().arrayBuffer()).byteLength}`,
          body: await request.json(),
        }),
    });
    const body = JSON.stringify(
      { text: "häßlich 🙂", list: [1, null] },
      null,
      2,
    );
    for (
      const [parser, path] of [
        [undefined, "/mcp?a=b"],
        [express.json(), "/mcp?a=b"],
        [express.text({ type: "*/*" }), "/mcp/more?a=%20b"],
        [express.raw({ type: "*/*" }), "/mcp/more?a=%20b"],
      ] as const
    ) {
      const app = express();
      if (parser !== undefined) app.use(parser);
      await using server = await listenHttp(app.use("/mcp", handler));
      const response = await fetch(new URL(path, server.url), {
        ...JSON_POST,
        body,
      });
      assertEquals(await response.json(), {
        path,
        type: "application/json",
        isLengthRight: true,
        body: JSON.parse(body),
      });
    }
  });

  it("answers the next request of a connection after a body that was not read", async () => {
    const handler = toNodeHandler({
      fetch: async (request) => {
        // Some of it has arrived by then.
        await new Promise((resolve) => setTimeout(resolve, 1));
        await request.body?.cancel();
        return new Response(request.method);
      },
    });
    await using server = await listenHttp(handler);
    const body = { padding: "x".repeat(4_000_000) };
    const socket = await openSocket(server.url, "POST", {}, body);
    await until(() => socket.received().includes("POST"), "the response");
    socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await until(() => socket.received().includes("GET"), "the next response");
    socket.destroy();
  });

  it("accepts a POST without a body behind a parser", async () => {
    const handler = toNodeHandler({
      fetch: async (request) => new Response(`<${await request.text()}>`),
    });
    await using server = await listenHttp(
      express().use(express.json()).use(handler),
    );
    const response = await fetch(server.url, JSON_POST);
    assertEquals(await response.text(), "<>");
  });

  it("answers 500 if the body was read and is not known", async () => {
    const errors: unknown[] = [];
    const handler = toNodeHandler({ fetch: () => new Response("never") }, {
      onError: (error) => errors.push(error),
    });
    await using server = await listenHttp((request, response) => {
      request.resume().on("end", () => void handler(request, response));
    });
    const response = await fetch(server.url, { ...JSON_POST, body: "{}" });
    await response.text();
    assertEquals(response.status, 500);
    assertInstanceOf(errors[0], TypeError);
    assertEquals(errors[0].message.includes("request.body"), true);
  });

  it("passes an error of the transport to next, or answers 500", async () => {
    const failure = new Error("out of order");
    const errors: unknown[] = [];
    const handler = toNodeHandler({ fetch: () => Promise.reject(failure) }, {
      onError: (error) => errors.push(error),
    });
    await using plain = await listenHttp((request, response) =>
      handler(request, response)
    );
    const response = await fetch(plain.url);
    assertEquals([response.status, await response.text()], [500, ""]);
    assertEquals(errors, [failure]);

    const passed: unknown[] = [];
    const report: express.ErrorRequestHandler = (error, _, response, _next) => {
      passed.push(error);
      response.status(418).end();
    };
    await using app = await listenHttp(express().use(handler, report));
    const other = await fetch(app.url);
    assertEquals([other.status, await other.text()], [418, ""]);
    assertEquals(passed, [failure]);
    assertEquals(errors.length, 1);
  });

  it("closes the connection if a response fails later", async () => {
    for (
      const [failure, isReported] of [
        [new Error("out of order"), true],
        [new DeliveryError("evicted"), false],
      ] as const
    ) {
      const errors: unknown[] = [];
      let fail = () => {};
      const handler = toNodeHandler({
        fetch: () =>
          new Response(
            new ReadableStream({
              start(controller) {
                controller.enqueue(new TextEncoder().encode("begin"));
                fail = () => controller.error(failure);
              },
            }),
          ),
      }, { onError: (error) => errors.push(error) });
      await using server = await listenHttp(handler);
      const socket = await openSocket(server.url, "GET", {});
      await until(() => socket.received().includes("begin"), "the response");
      fail();
      await within(socket.closed, "the connection to close");
      assertEquals(socket.received().endsWith("0\r\n\r\n"), false);
      assertEquals(errors, isReported ? [failure] : []);
    }
  });

  it("cancels the response for a client that left before it", async () => {
    let respond: (response: Response) => void = () => {};
    const responded = new Promise<Response>((resolve) => respond = resolve);
    let isAsked = false;
    let isCancelled = false;
    const errors: unknown[] = [];
    let signal: AbortSignal | undefined;
    const handler = toNodeHandler({
      fetch: (request) => {
        ({ signal } = request);
        isAsked = true;
        return responded;
      },
    }, { onError: (error) => errors.push(error) });
    await using server = await listenHttp(handler);
    const socket = await openSocket(server.url, "GET", {});
    await until(() => isAsked, "the request");
    socket.destroy();
    await until(() => signal?.aborted === true, "the abort");
    respond(
      new Response(
        new ReadableStream({ cancel: () => void (isCancelled = true) }),
      ),
    );
    await until(() => isCancelled, "the cancellation");
    assertEquals(errors, []);
  });

  it("works with HTTP/2", async () => {
    const sessions = new InMemorySessions();
    await using server = await listenHttp2(
      toNodeHandler(sessions, async (request) => {
        const { pathname } = new URL(request.url);
        return new Response(
          `${request.method} ${pathname} ` + await request.text(),
        );
      }),
    );
    const client = connect(server.url.origin);
    const stream = client.request({ ":path": "/mcp", ":method": "POST" });
    stream.end("hello");
    let text = "";
    stream.setEncoding("utf8").on("data", (data) => text += data);
    await within(
      new Promise((resolve) => stream.on("end", resolve)),
      "the response",
    );
    assertEquals(text, "POST /mcp hello");
    await new Promise<void>((resolve) => client.close(resolve));
    await sessions.close();
  });

  it("explains invalid arguments", () => {
    const sessions = new InMemorySessions();
    assertThrows(() => toNodeHandler({} as never), TypeError, "fetch");
    assertThrows(
      () => toNodeHandler(sessions, undefined as never),
      TypeError,
      "transport.respond",
    );
  });
});

type Incoming = Parameters<ReturnType<typeof toNodeHandler>>[0];
