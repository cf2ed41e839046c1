import { Client, type ConnectOptions, type Fetch } from "./client.ts";

const VERSION = "2025-11-25";
const RETRY_MS = 100;

interface FetchOptions {
  readonly body?: string | null;
  readonly signal?: AbortSignal;
}

/** A session and its stream, using only `fetch`: small, so that many fit. */
export class StreamClient extends Client {
  /** The number of notifications that events were missed. */
  resets = 0;
  /** Whether the server no longer knows its session. */
  isGone = false;
  readonly #url: URL;
  readonly #network: Fetch;
  /** Aborts its requests. */
  readonly #abort = new AbortController();
  #session: string | undefined;
  #nextId = 0;
  // Referenced, because Deno cannot abort a response that was
  // garbage-collected.
  #stream: Response | undefined;
  #lastEventId: string | undefined;
  /** Aborts its stream, as a network failure does. */
  #breaker = new AbortController();
  /** Resolves when it may reconnect. */
  #away: Promise<void> | undefined;
  /** Resolves when it may read again. */
  #stalled: Promise<void> | undefined;

  private constructor(url: URL, options: ConnectOptions) {
    super(options);
    this.#url = url;
    this.#network = options.fetch;
  }

  /** Connects; notifications arrive from then on. */
  static async connect(
    url: URL,
    options: ConnectOptions,
  ): Promise<StreamClient> {
    const client = new StreamClient(url, options);
    await client.#request("initialize", {
      protocolVersion: VERSION,
      capabilities: {},
      clientInfo: { name: "demo-stream", version: "1.0.0" },
    });
    await client.#post({ method: "notifications/initialized" });
    void client.#read(await client.#openStream());
    const { subscribe } = options;
    if (subscribe !== undefined) {
      await client.#request("resources/subscribe", { uri: subscribe });
    }
    return client;
  }

  /** Calls a tool. */
  call(name: string): Promise<void> {
    return this.#request("tools/call", { name });
  }

  /** Breaks its stream; the result lets it reconnect. */
  leave(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#away = promise;
    this.#breaker.abort();
    return resolve;
  }

  /** Stops reading its stream; the result lets it go on. */
  stall(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stalled = promise;
    return resolve;
  }

  /** Its session ID. */
  get session(): string {
    return this.#session ?? "";
  }

  /** Deletes the session. */
  async delete(): Promise<void> {
    this.reconnects = false;
    await (await this.#fetch("DELETE")).body?.cancel();
  }

  override close(): Promise<void> {
    this.reconnects = false;
    this.#abort.abort();
    this.#breaker.abort();
    return Promise.resolve();
  }

  async #openStream(): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    this.#breaker = new AbortController();
    const response = await this.#fetch("GET", { signal: this.#breaker.signal });
    if (response.body === null) throw new Error("The server opened no stream.");
    this.open(response);
    this.#stream = response;
    return response.body;
  }

  /** Reads a stream and its successors. */
  async #read(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    try {
      await this.#readOne(body);
      this.ended = true;
    } catch {
      // Aborted by `leave`, by `close`, or by a server that died.
    }
    while (this.reconnects) {
      await this.#away;
      try {
        return void this.#read(await this.#openStream());
      } catch {
        if (this.isGone) return;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #readOne(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      const events = (rest + text).split("\n\n");
      rest = events.pop() ?? "";
      await this.#stalled;
      for (const event of events) {
        this.#lastEventId = event.match(/^id: (.*)$/m)?.[1] ??
          this.#lastEventId;
        if (/^event: reset$/m.test(event)) this.resets++;
        if (!/^event: message$/m.test(event)) continue;
        const data = event.match(/^data: (.*)$/m)?.[1];
        if (data) this.receive(JSON.parse(data).method);
      }
    }
  }

  #request(method: string, params: object): Promise<void> {
    return this.#post({ id: ++this.#nextId, method, params });
  }

  async #post(message: object): Promise<void> {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    const response = await this.#fetch("POST", { body });
    this.#session ??= response.headers.get("mcp-session-id") ?? undefined;
    const answer = await response.text();
    if (answer.includes('"error":')) throw new Error(answer);
  }

  async #fetch(
    method: string,
    { body = null, signal = this.#abort.signal }: FetchOptions = {},
  ): Promise<Response> {
    const isGet = method === "GET";
    const response = await this.#network(this.#url, {
      method,
      headers: {
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": VERSION,
        ...(this.#session ? { "mcp-session-id": this.#session } : {}),
        ...(isGet && this.#lastEventId
          ? { "last-event-id": this.#lastEventId }
          : {}),
      },
      body,
      signal,
    });
    if (!response.ok) {
      await response.body?.cancel();
      this.isGone ||= response.status === 404;
      throw new Error(`${method}: status ${response.status}`);
    }
    return response;
  }
}
