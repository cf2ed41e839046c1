import type {
  ClientCapabilities,
  ClientInfo,
} from "../../protocol/mcp_types.ts";
import type { TransportSessions } from "../../contracts/sessions.ts";

/** Where the transport answers. */
export const ENDPOINT = "http://localhost/mcp";
/** The header with the session ID. */
export const SESSION_HEADER = "mcp-session-id";

const SSE = { "content-type": "text/event-stream" };
const encoder = new TextEncoder();

/** A message of JSON-RPC, as far as the transport looks at it. */
interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: {
    readonly capabilities?: ClientCapabilities;
    readonly clientInfo?: ClientInfo;
  };
}

/** A request that a test answers, message by message. */
export interface TransportCall {
  /** Aborted when the request is to stop. */
  readonly signal: AbortSignal;
  /** Sends a message to the client. */
  send(message: object): void;
  /** Sends the response, and ends the event stream. */
  finish(result: object): void;
  /** Makes the event stream fail. */
  fail(): void;
}

/**
 * A small transport that does with sessions what tmcp's does
 * (`@tmcp/transport-http` 0.9): it accepts any session ID, assigns one to
 * requests without, and does not wait for the setters of metadata.
 */
export class TestTransport {
  /**
   * The requests that reached it: method and session ID. `OPTIONS` requests,
   * which change nothing, are left out.
   */
  readonly seen: string[] = [];
  /** The notifications and responses that it received, oldest first. */
  readonly received: unknown[] = [];
  /** The requests with the method `work`, oldest first. */
  readonly calls: TransportCall[] = [];
  /** The session IDs that it assigned. */
  readonly assigned: string[] = [];
  readonly #sessions: TransportSessions;

  /** @param sessions The managers that it uses. */
  constructor(sessions: TransportSessions) {
    this.#sessions = sessions;
  }

  /** Answers a request. */
  readonly respond = async (request: Request): Promise<Response | null> => {
    const given = request.headers.get(SESSION_HEADER);
    if (request.method !== "OPTIONS") {
      this.seen.push(`${request.method} ${given ?? "-"}`);
    }
    if (new URL(request.url).pathname !== "/mcp") return null;
    const id = given || this.#assign();
    const response = await this.#respond(request, id);
    response.headers.set("access-control-allow-origin", "*");
    return response;
  };

  #assign(): string {
    const id = crypto.randomUUID();
    this.assigned.push(id);
    return id;
  }

  #respond(request: Request, id: string): Response | Promise<Response> {
    switch (request.method) {
      case "GET":
        return this.#get(id);
      case "POST":
        return this.#post(request, id);
      case "DELETE":
        return this.#delete(id);
      case "OPTIONS":
        return new Response(null, { status: 204 });
      default:
        return new Response(null, { status: 405 });
    }
  }

  async #get(id: string): Promise<Response> {
    const { streams } = this.#sessions;
    const headers = { [SESSION_HEADER]: id };
    if (await streams.has(id)) return new Response(null, { status: 409 });
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        await streams.create(id, controller);
        controller.enqueue(encoder.encode(": connected\n\n"));
      },
      async cancel() {
        await streams.delete(id);
      },
    });
    return new Response(body, { headers: { ...SSE, ...headers } });
  }

  async #post(request: Request, id: string): Promise<Response> {
    const { info } = this.#sessions;
    const message = await messageOf(request);
    if (message === undefined) {
      return new Response(null, {
        status: 400,
        headers: { [SESSION_HEADER]: id },
      });
    }
    if (message.method === "initialize") {
      void info.setClientCapabilities(id, message.params?.capabilities ?? {});
      void info.setClientInfo(id, message.params?.clientInfo);
    }
    const isRequest = message.id !== undefined && message.method !== undefined;
    if (!isRequest) {
      this.received.push(message);
      return new Response(null, { status: 202 });
    }
    if (message.method === "work") return this.#work(request, message.id!, id);
    const client = await info.getClientInfo(id).catch(() => undefined);
    const answer = { jsonrpc: "2.0", id: message.id, result: { client } };
    const body = `event: message\ndata: ${JSON.stringify(answer)}\n\n`;
    return new Response(body, { headers: { ...SSE, [SESSION_HEADER]: id } });
  }

  #work(
    { signal }: Request,
    requestId: string | number,
    sessionId: string,
  ): Response {
    let controller: ReadableStreamDefaultController<Uint8Array>;
    // As with tmcp's, what is sent after a disconnect is lost.
    let isOpen = true;
    const body = new ReadableStream<Uint8Array>({
      start: (given) => void (controller = given),
      cancel: () => void (isOpen = false),
    });
    signal.addEventListener("abort", () => isOpen = false);
    const send = (message: object) => {
      const text = JSON.stringify({ jsonrpc: "2.0", ...message });
      const frame = `event: message\ndata: ${text}\n\n`;
      if (isOpen) controller.enqueue(encoder.encode(frame));
    };
    this.calls.push({
      signal,
      send,
      finish: (result) => {
        send({ id: requestId, result });
        if (isOpen) controller.close();
      },
      fail: () => controller.error(new Error("This transport fails.")),
    });
    const headers = { ...SSE, [SESSION_HEADER]: sessionId };
    return new Response(body, { headers });
  }

  async #delete(id: string): Promise<Response> {
    const { streams, info } = this.#sessions;
    await streams.delete(id);
    await info.delete(id);
    return new Response(null, { headers: { [SESSION_HEADER]: id } });
  }
}

/** Returns the message of a request; undefined if its body is none. */
async function messageOf(request: Request): Promise<Message | undefined> {
  try {
    const message = await request.json();
    return typeof message === "object" && message !== null
      ? message
      : undefined;
  } catch {
    return undefined;
  }
}
