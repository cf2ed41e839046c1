import {
  Client as Sdk,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { Client, type ConnectOptions } from "./client.ts";

const RETRY_MS = 100;

/** The official client of the per-request era (2026-07-28), which listens. */
export class ModernClient extends Client {
  readonly #sdk = new Sdk({ name: "demo-2026", version: "1.0.0" }, {
    versionNegotiation: { mode: { pin: "2026-07-28" } },
  });
  readonly #subscribe: string | undefined;
  #isClosed = false;

  private constructor(options: ConnectOptions) {
    super(options);
    this.#subscribe = options.subscribe;
  }

  /** Connects; notifications arrive from then on. */
  static async connect(
    url: URL,
    options: ConnectOptions,
  ): Promise<ModernClient> {
    const client = new ModernClient(options);
    const sdk = client.#sdk;
    sdk.fallbackNotificationHandler = ({ method }) => {
      client.receive(method);
      return Promise.resolve();
    };
    const transport = new StreamableHTTPClientTransport(url, {
      fetch: async (url, init) => {
        const response = await options.fetch(url, init);
        const isListen = String(init?.body).includes("subscriptions/listen");
        if (isListen && response.ok) client.open(response);
        return response;
      },
    });
    await sdk.connect(transport);
    await client.#listen();
    return client;
  }

  async #listen(): Promise<void> {
    const subscription = await this.#sdk.listen({
      toolsListChanged: true,
      ...(this.#subscribe === undefined
        ? {}
        : { resourceSubscriptions: [this.#subscribe] }),
    });
    void subscription.closed.then((how) => {
      this.ended = how === "graceful";
      // In that era, the program itself must listen again.
      if (this.reconnects) void this.#resubscribe();
    });
  }

  async #resubscribe(): Promise<void> {
    while (!this.#isClosed) {
      try {
        return await this.#listen();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  override close(): Promise<void> {
    this.#isClosed = true;
    return this.#sdk.close();
  }
}
