import { Client } from "./client.ts";

const VERSION = "2025-11-25";

/** A session and its stream, by `fetch` alone: small, so that many fit. */
export class StreamClient extends Client {
  override readonly subscribed: boolean;
  readonly #url: URL;
  readonly #abort = new AbortController();
  #session: string | undefined;
  #nextId = 0;

  private constructor(url: URL, subscribed: boolean, onReceive: () => void) {
    super(onReceive);
    this.#url = url;
    this.subscribed = subscribed;
  }

  /** Connects; notifications arrive from then on. */
  static async connect(
    url: URL,
    subscribe: string | undefined,
    onReceive: () => void,
  ): Promise<StreamClient> {
    const client = new StreamClient(url, subscribe !== undefined, onReceive);
    await client.#request("initialize", {
      protocolVersion: VERSION,
      capabilities: {},
      clientInfo: { name: "demo-stream", version: "1.0.0" },
    });
    await client.#post({ method: "notifications/initialized" });
    const { body } = await client.#fetch("GET");
    if (body === null) throw new Error("The server opened no stream.");
    void client.#read(body);
    if (subscribe !== undefined) {
      await client.#request("resources/subscribe", { uri: subscribe });
    }
    return client;
  }

  /** Ends the session. */
  async delete(): Promise<void> {
    await (await this.#fetch("DELETE")).body?.cancel();
  }

  override close(): Promise<void> {
    this.#abort.abort();
    return Promise.resolve();
  }

  async #read(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let rest = "";
    try {
      for await (const text of body.pipeThrough(new TextDecoderStream())) {
        const events = (rest + text).split("\n\n");
        rest = events.pop() ?? "";
        for (const event of events) {
          const data = event.match(/^data: (.*)$/m)?.[1];
          // One without data only tells the position, for `Last-Event-ID`.
          if (data) this.receive(JSON.parse(data).method);
        }
      }
      this.ended = true;
    } catch {
      // Broken off: by `close`, or by a server that did not end it.
    }
  }

  #request(method: string, params: object): Promise<void> {
    return this.#post({ id: ++this.#nextId, method, params });
  }

  async #post(message: object): Promise<void> {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message });
    const response = await this.#fetch("POST", body);
    this.#session ??= response.headers.get("mcp-session-id") ?? undefined;
    const answer = await response.text();
    if (answer.includes('"error":')) throw new Error(answer);
  }

  async #fetch(method: string, body?: string): Promise<Response> {
    const response = await fetch(this.#url, {
      method,
      headers: {
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": VERSION,
        ...(this.#session ? { "mcp-session-id": this.#session } : {}),
      },
      body: body ?? null,
      signal: this.#abort.signal,
    });
    if (!response.ok) throw new Error(`${method}: status ${response.status}`);
    return response;
  }
}
