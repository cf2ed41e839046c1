const LISTEN = {
  jsonrpc: "2.0",
  id: 1,
  method: "subscriptions/listen",
  params: {
    notifications: { toolsListChanged: true },
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1.0.0" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  },
};

/** Streams of `subscriptions/listen`, which count what they receive. */
export class ListeningStreams {
  #received = 0;
  #expected = Infinity;
  #onExpected: () => void = () => {};

  /** Opens a stream; resolves when it is acknowledged. */
  async open(serve: (request: Request) => Promise<Response>): Promise<void> {
    const response = await serve(
      new Request("http://localhost/mcp", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "accept": "application/json, text/event-stream",
          "mcp-protocol-version": "2026-07-28",
          "mcp-method": "subscriptions/listen",
        },
        body: JSON.stringify(LISTEN),
      }),
    );
    if (!response.ok) throw new Error(await response.text());
    const reader = response.body!.getReader();
    await reader.read();
    void this.#count(reader);
  }

  /** Resolves when all streams together have received so many events. */
  async received(events: number): Promise<void> {
    if (this.#received >= events) return;
    this.#expected = events;
    await new Promise<void>((resolve) => this.#onExpected = resolve);
  }

  async #count(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<void> {
    while (!(await reader.read()).done) {
      if (++this.#received === this.#expected) this.#onExpected();
    }
  }
}
