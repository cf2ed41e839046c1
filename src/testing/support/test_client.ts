import { ok, strictEqual } from "node:assert/strict";
import type { Sessions } from "../../contracts/sessions.ts";
import { type ReceivedEvent, SseParser } from "./sse_parser.ts";
import {
  ENDPOINT,
  SESSION_HEADER,
  TestTransport,
  type TransportCall,
} from "./test_transport.ts";

/** Options of a {@linkcode TestClient}. */
export interface TestClientOptions {
  /** Its session ID, if another client has begun the session. */
  readonly id?: string;
  /** Its principal. */
  readonly principal?: string | undefined;
  /**
   * The name of its transport, if the sessions have several. Transports of one
   * name share its view.
   */
  readonly transport?: string | undefined;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A client of a guarded transport, with one session. */
export class TestClient {
  /** The sessions that respond to its requests. */
  readonly transport: TestTransport;
  /** Its session ID; empty before it has one. */
  id: string;
  readonly #sessions: Sessions;
  readonly #options: TestClientOptions;

  /**
   * @param sessions The sessions whose guard is used.
   * @param options Its session and principal.
   */
  constructor(sessions: Sessions, options: TestClientOptions = {}) {
    const { transport } = options;
    this.transport = new TestTransport(
      transport === undefined ? sessions : sessions.forTransport(transport),
    );
    this.id = options.id ?? "";
    this.#sessions = sessions;
    this.#options = options;
  }

  /** Returns a client that has begun a session. */
  static async begin(
    sessions: Sessions,
    options?: TestClientOptions,
  ): Promise<TestClient> {
    const client = new TestClient(sessions, options);
    const response = await client.initialize();
    strictEqual(response.status, 200, "initialize is refused");
    return client;
  }

  /** Sends a request unchanged. */
  send(request: Request): Promise<Response> {
    const { principal } = this.#options;
    return this.#sessions.guard(request, this.transport.respond, { principal });
  }

  /** Sends a request of its session. */
  request(
    method: string,
    headers: Record<string, string> = {},
    body?: unknown,
  ): Promise<Response> {
    const all = new Headers({ ...this.#options.headers, ...headers });
    if (body !== undefined) all.set("content-type", "application/json");
    if (this.id !== "" && !all.has(SESSION_HEADER)) {
      all.set(SESSION_HEADER, this.id);
    }
    return this.send(
      new Request(ENDPOINT, {
        method,
        headers: all,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
  }

  /** Begins a session, and keeps its ID. */
  async initialize(): Promise<Response> {
    const response = await this.request("POST", {}, {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: {
        protocolVersion: "2025-11-25",
        capabilities: { roots: {} },
        clientInfo: { name: "test client", version: "1.0.0" },
      },
    });
    if (response.ok) this.id = response.headers.get(SESSION_HEADER) ?? "";
    return response;
  }

  /** Sends a ping; returns the status of the response. */
  async ping(): Promise<number> {
    const message = { jsonrpc: "2.0", id: 2, method: "ping" };
    const response = await this.request("POST", {}, message);
    await response.body?.cancel();
    return response.status;
  }

  /**
   * Sends a request that its transport answers message by message. The client
   * sends its requests to one node only, so the call is the newest one.
   */
  async work(id: number): Promise<{ events: TestEvents; call: TransportCall }> {
    const message = { jsonrpc: "2.0", id, method: "work" };
    const response = await this.request("POST", {}, message);
    strictEqual(response.status, 200, "A POST is refused");
    ok(response.body, "A POST is answered without a stream");
    const call = this.transport.calls.at(-1);
    ok(call, "The POST did not reach the transport");
    return { events: new TestEvents(response.body), call };
  }

  /** Sends any message; returns the status of the response. */
  async post(message: object): Promise<number> {
    const all = { jsonrpc: "2.0", ...message };
    const response = await this.request("POST", {}, all);
    await response.body?.cancel();
    return response.status;
  }

  /** Sends a notification. */
  async notify(): Promise<number> {
    const message = { jsonrpc: "2.0", method: "notifications/initialized" };
    return (await this.request("POST", {}, message)).status;
  }

  /** Ends its session; returns the status of the response. */
  async end(): Promise<number> {
    const response = await this.request("DELETE");
    await response.body?.cancel();
    return response.status;
  }

  /**
   * Opens the stream of its session, after the last event ID if one is given.
   */
  async listen(lastEventId?: string): Promise<TestEvents> {
    const headers = { accept: "text/event-stream" };
    const response = await this.request(
      "GET",
      lastEventId === undefined
        ? headers
        : { ...headers, "last-event-id": lastEventId },
    );
    strictEqual(response.status, 200, "A GET of a session is refused");
    ok(response.body, "A GET of a session is answered without a stream");
    return new TestEvents(response.body);
  }
}

/**
 * The stream of a session, as its client reads it. Events without data only
 * carry an ID, and do not count as events.
 */
export class TestEvents {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #parser = new SseParser();
  #taken = 0;

  /** @param body The stream. */
  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /** How long to wait before reconnecting, if the server said so. */
  get retry(): number | undefined {
    return this.#parser.retry;
  }

  /** Takes the first event, also one without data. */
  async first(): Promise<ReceivedEvent> {
    const { events } = this.#parser;
    while (events.length === 0) await this.#read();
    return events[0]!;
  }

  /** Takes the next events. Events that are not taken count as not received. */
  async take(count = 1): Promise<ReceivedEvent[]> {
    const taken: ReceivedEvent[] = [];
    while (taken.length < count) {
      const event = this.#parser.events[this.#taken];
      if (event === undefined) {
        await this.#read();
        continue;
      }
      this.#taken++;
      if (event.data !== "") taken.push(event);
    }
    return taken;
  }

  /**
   * Reads up to the event with this data; returns the data of all events
   * before.
   */
  async until(text: string): Promise<string[]> {
    const texts: string[] = [];
    while (true) {
      const [event] = await this.take();
      if (event!.data === text) return texts;
      texts.push(event!.data);
    }
  }

  /**
   * Reads to the end; returns how the stream ended, and the data of the events
   * that were left.
   */
  async end(): Promise<{ ended: "closed" | "errored"; data: string[] }> {
    let ended: "closed" | "errored" = "closed";
    try {
      for (
        let { done, value } = await this.#reader.read();
        !done;
        { done, value } = await this.#reader.read()
      ) this.#parser.push(value!);
    } catch {
      ended = "errored";
    }
    const rest = this.#parser.events.slice(this.#taken);
    const data = rest.map(({ data }) => data).filter((data) => data !== "");
    return { ended, data };
  }

  /** Cancels the stream. */
  async cancel(): Promise<void> {
    // A stream that has errored rejects with that error: it has ended as well.
    await this.#reader.cancel().catch(() => {});
  }

  async #read(): Promise<void> {
    const { done, value } = await this.#reader.read();
    if (done) throw new Error("The stream has ended.");
    this.#parser.push(value);
  }
}

/** Formats an event with data, as transports write it. */
export function frame(text: string): string {
  return `event: message\ndata: ${text}\n\n`;
}
