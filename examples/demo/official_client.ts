// Deno finds no types under the paths with an extension.
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client as Sdk } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Client, type ConnectOptions } from "./client.ts";

/** The number of attempts to open another stream, ten per second. */
const RETRIES = 100;

/** The official client of the session era (2025-11-25). */
export class OfficialClient extends Client {
  readonly #sdk = new Sdk({ name: "demo-2025", version: "1.0.0" });

  private constructor(options: ConnectOptions) {
    super(options);
  }

  /** Connects; notifications arrive from then on. */
  static async connect(
    url: URL,
    options: ConnectOptions,
  ): Promise<OfficialClient> {
    const client = new OfficialClient(options);
    const sdk = client.#sdk;
    sdk.fallbackNotificationHandler = ({ method }) => {
      client.receive(method);
      return Promise.resolve();
    };
    // The SDK opens its stream in the background, and does not report when it
    // is open.
    const open = Promise.withResolvers<void>();
    const transport = new StreamableHTTPClientTransport(url, {
      reconnectionOptions: {
        initialReconnectionDelay: 100,
        maxReconnectionDelay: 100,
        reconnectionDelayGrowFactor: 1,
        maxRetries: options.reconnects ? RETRIES : 0,
      },
      fetch: async (url, init) => {
        const response = await options.fetch(url, init);
        if (init?.method === "GET") {
          if (response.ok) client.open(response);
          open.resolve();
        }
        return response;
      },
    });
    // The types of the SDK do not support exactOptionalPropertyTypes.
    await sdk.connect(transport as Parameters<Sdk["connect"]>[0]);
    await open.promise;
    const { subscribe } = options;
    if (subscribe !== undefined) {
      await sdk.subscribeResource({ uri: subscribe });
    }
    return client;
  }

  /** Calls a tool and returns its text. */
  async call(name: string): Promise<string> {
    const { content } = await this.#sdk.callTool({ name });
    return (content as { text: string }[])[0]?.text ?? "";
  }

  /** Sends a ping. */
  async ping(): Promise<void> {
    await this.#sdk.ping();
  }

  override close(): Promise<void> {
    return this.#sdk.close();
  }
}
