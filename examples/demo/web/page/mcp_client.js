import { readEvents } from "./sse.js";

const VERSION = "2025-11-25";
const RETRY_MS = 1_000;

/**
 * A client of MCP 2025-11-25 over Streamable HTTP: it begins a session, opens
 * its stream, and opens it again after the last event when it breaks.
 *
 * Events: `session`, `open`, `closed`, `notification`, `reset`, `log`; each has
 * a `detail`.
 */
export class McpClient extends EventTarget {
  /** The session ID. */
  session;
  /** The ID of the last event. */
  lastEventId;
  #url;
  #nextId = 0;

  constructor(url) {
    super();
    this.#url = url;
  }

  /** Connects, and reconnects for as long as the page is open. */
  async run() {
    let retryMs = RETRY_MS;
    while (true) {
      try {
        if (this.session === undefined) await this.#begin();
        await this.#openStream((ms) => retryMs = ms);
        this.#emit("closed", { reason: "The server ended the stream" });
      } catch (error) {
        this.#emit("closed", { reason: error.message });
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      retryMs = RETRY_MS;
    }
  }

  /** Sends a request, and returns its result. */
  async request(method, params) {
    const id = ++this.#nextId;
    const response = await this.#post({ id, method, params });
    const { result, error } = await answerOf(response, id);
    if (error !== undefined) throw new Error(error.message);
    return result;
  }

  /** Ends the session, because the page is closed. */
  end() {
    const { session } = this;
    if (session === undefined) return;
    void fetch(this.#url, {
      method: "DELETE",
      headers: { "mcp-session-id": session, "mcp-protocol-version": VERSION },
      keepalive: true,
    });
  }

  async #begin() {
    const { serverInfo } = await this.request("initialize", {
      protocolVersion: VERSION,
      capabilities: {},
      clientInfo: { name: "live-page", version: "1.0.0" },
    });
    await this.#post({ method: "notifications/initialized" });
    this.#log("POST", `initialize: session of server “${serverInfo.name}”`);
    this.#emit("session", { id: this.session });
  }

  async #openStream(onRetry) {
    const lastEventId = this.lastEventId;
    const response = await this.#fetch("GET");
    const node = response.headers.get("x-worker") ?? "?";
    const after = lastEventId === undefined
      ? ""
      : `, last event ${lastEventId}`;
    this.#log("GET", `stream on ${node}${after}`);
    this.#emit("open", { node, isResumed: lastEventId !== undefined });
    for await (const { type, data, id, retry } of readEvents(response.body)) {
      if (id !== undefined) this.lastEventId = id;
      if (retry !== undefined) onRetry(retry);
      if (type === "reset") {
        this.#log("reset", `events are lost: ${JSON.parse(data).reason}`);
        this.#emit("reset", JSON.parse(data));
      } else if (type === "message" && data !== "") {
        this.#emit("notification", JSON.parse(data));
      }
    }
  }

  async #post(message) {
    const response = await this.#fetch("POST", { jsonrpc: "2.0", ...message });
    this.session ??= response.headers.get("mcp-session-id") ?? undefined;
    return response;
  }

  async #fetch(method, message) {
    const headers = {
      accept: method === "GET"
        ? "text/event-stream"
        : "application/json, text/event-stream",
      "mcp-protocol-version": VERSION,
    };
    if (message !== undefined) headers["content-type"] = "application/json";
    if (this.session !== undefined) headers["mcp-session-id"] = this.session;
    if (method === "GET" && this.lastEventId !== undefined) {
      headers["last-event-id"] = this.lastEventId;
    }
    const body = JSON.stringify(message);
    const response = await fetch(this.#url, { method, headers, body });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) {
      // The session is gone: begin a new one, as the specification says.
      this.session = this.lastEventId = undefined;
    }
    throw new Error(`${method}: status ${response.status}`);
  }

  #log(what, text) {
    this.#emit("log", { what, text });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Returns the response to a request: JSON, or an event of a stream. */
async function answerOf(response, id) {
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
    return await response.json();
  }
  for await (const { data } of readEvents(response.body)) {
    if (data === "") continue;
    const message = JSON.parse(data);
    if (message.id === id) return message;
  }
  throw new Error("The response was cut off.");
}
