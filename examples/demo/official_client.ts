// Deno finds no types under the paths with an extension.
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client as Sdk } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Client } from "./client.ts";

/** The official client of the session era (2025-11-25). */
export class OfficialClient extends Client {
  override readonly subscribed: boolean;
  readonly #sdk = new Sdk({ name: "demo-2025", version: "1.0.0" });

  private constructor(subscribed: boolean, onReceive: () => void) {
    super(onReceive);
    this.subscribed = subscribed;
  }

  /** Connects; notifications arrive from then on. */
  static async connect(
    url: URL,
    subscribe: string | undefined,
    onReceive: () => void,
  ): Promise<OfficialClient> {
    const client = new OfficialClient(subscribe !== undefined, onReceive);
    const sdk = client.#sdk;
    sdk.fallbackNotificationHandler = ({ method }) => {
      client.receive(method);
      return Promise.resolve();
    };
    // The SDK opens its stream on its own, and does not say when it is open.
    const open = Promise.withResolvers<void>();
    const transport = new StreamableHTTPClientTransport(url, {
      // The server of the demo does not come back.
      reconnectionOptions: {
        initialReconnectionDelay: 1_000,
        maxReconnectionDelay: 1_000,
        reconnectionDelayGrowFactor: 1,
        maxRetries: 0,
      },
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (init?.method === "GET") open.resolve();
        return response;
      },
    });
    // The SDK is not written for exact optional properties.
    await sdk.connect(transport as Parameters<Sdk["connect"]>[0]);
    await open.promise;
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

  override close(): Promise<void> {
    return this.#sdk.close();
  }
}
