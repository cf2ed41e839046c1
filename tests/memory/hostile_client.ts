import type { InMemorySessions } from "@crossmcp/session-manager";
import { TestClient } from "../../src/testing/support/test_client.ts";

/** How often each hostile client does something, in milliseconds. */
const PERIOD_MS = 1_000;

/** A client that takes what it can get, and asks for more. */
export class HostileClient {
  /** How many sessions it has begun. */
  begun = 0;
  readonly #sessions: InMemorySessions;
  readonly #index: number;
  readonly #maxSubscriptions: number;
  #id = "";

  /**
   * @param sessions The sessions that it attacks.
   * @param index Decides when it begins, and with what.
   * @param maxSubscriptions How many subscriptions it may have.
   */
  constructor(
    sessions: InMemorySessions,
    index: number,
    maxSubscriptions: number,
  ) {
    this.#sessions = sessions;
    this.#index = index;
    this.#maxSubscriptions = maxSubscriptions;
  }

  /** Takes all that it may have. */
  async takeAll(maxSessions: number): Promise<void> {
    for (let count = 0; count <= maxSessions; count++) {
      await this.#begin();
      await this.#subscribe();
    }
  }

  /** Attacks until the end. */
  async attack(state: () => "active" | "paused" | "over"): Promise<void> {
    const actions = this.#actions();
    for (let at = this.#index; state() !== "over"; at++) {
      // All at once would measure how long one turn takes.
      const pauseMs = PERIOD_MS + this.#index % PERIOD_MS;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (state() === "active") await actions[at % actions.length]!();
    }
  }

  #actions(): readonly (() => Promise<unknown>)[] {
    const header = (id: string) => ({ "mcp-session-id": id });
    const random = () => header(crypto.randomUUID());
    return [
      () => this.#begin(),
      () => this.#initialize("x".repeat(2_000)),
      () => this.#request("DELETE", random()),
      () => this.#request("GET", random()),
      () => this.#request("GET"),
      () => this.#request("POST", header("a b"), {}),
      () => this.#request("POST", {}, { text: "x".repeat(20_000) }),
      () =>
        this.#request("GET", {
          ...header(this.#id || "unknown"),
          "last-event-id": `${crypto.randomUUID().slice(0, 8)}-1`,
        }),
      () => this.#subscribe(),
    ];
  }

  async #begin(): Promise<void> {
    const response = await this.#initialize("a");
    if (!response.ok) return;
    this.begun++;
    this.#id = response.headers.get("mcp-session-id")!;
  }

  #initialize(name: string): Promise<Response> {
    return this.#request("POST", {}, {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { clientInfo: { name, version: "1" }, capabilities: {} },
    });
  }

  /** Subscribes to twice as many resources as it may. */
  async #subscribe(): Promise<void> {
    if (this.#id === "") return;
    for (let uri = 0; uri < 2 * this.#maxSubscriptions; uri++) {
      const { info } = this.#sessions;
      await Promise.resolve(info.addSubscription(this.#id, `file:///${uri}`))
        .catch(() => {});
    }
  }

  async #request(
    method: string,
    headers: Record<string, string> = {},
    body?: object,
  ): Promise<Response> {
    const principal = `hostile ${this.#index}`;
    const client = new TestClient(this.#sessions, { principal });
    const response = await client.request(method, headers, body);
    // A stream that another one has replaced has failed.
    await response.body?.cancel().catch(() => {});
    return response;
  }
}
