import type { NodeGroup } from "./nodes/node_group.ts";
import { pageFile } from "./page_files.ts";
import { type Operated, respondToPage } from "./operator_api.ts";
import { passOn } from "./proxy.ts";

/** The one port of the demo: MCP, the page, and the operator's API. */
export class Front implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #stop = new AbortController();
  /** The nodes, once they are known. */
  group: NodeGroup | undefined;
  /** What the operator's API serves, once it is known. */
  operated: Operated | undefined;

  /** Listens on 127.0.0.1, which only this machine can reach. */
  constructor(port: number) {
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port,
      signal: this.#stop.signal,
      onListen: () => {},
      onError: (error) => {
        console.error("front:", error);
        return new Response("An error occurred.", { status: 500 });
      },
    }, (request) => this.#respond(request));
  }

  /** Its address. */
  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#server.addr.port}/`);
  }

  /** The origins of the page: other pages must not use this server. */
  get origins(): string[] {
    const { port } = this.url;
    return [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
  }

  async #respond(request: Request): Promise<Response> {
    const { pathname, origin } = new URL(request.url);
    const sender = request.headers.get("origin");
    const isForeign = !this.origins.includes(origin) ||
      sender !== null && !this.origins.includes(sender);
    if (isForeign) return new Response("Forbidden.", { status: 403 });
    if (pathname === "/mcp") {
      if (this.group !== undefined) return await passOn(this.group, request);
    } else if (pathname.startsWith("/api/")) {
      if (this.operated !== undefined) {
        return await respondToPage(this.operated, request);
      }
    } else return await pageFile(pathname);
    return new Response("Not ready.", { status: 503 });
  }

  /** Ends all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }
}
