import {
  Client as Sdk,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { Client } from "./client.ts";

/** The official client of the per-request era (2026-07-28), which listens. */
export class ModernClient extends Client {
  override readonly subscribed: boolean;
  readonly #sdk = new Sdk({ name: "demo-2026", version: "1.0.0" }, {
    versionNegotiation: { mode: { pin: "2026-07-28" } },
  });

  private constructor(subscribed: boolean, onReceive: () => void) {
    super(onReceive);
    this.subscribed = subscribed;
  }

  /** Connects; notifications arrive from then on. */
  static async connect(
    url: URL,
    subscribe: string | undefined,
    onReceive: () => void,
  ): Promise<ModernClient> {
    const client = new ModernClient(subscribe !== undefined, onReceive);
    const sdk = client.#sdk;
    sdk.fallbackNotificationHandler = ({ method }) => {
      client.receive(method);
      return Promise.resolve();
    };
    await sdk.connect(new StreamableHTTPClientTransport(url));
    const subscription = await sdk.listen({
      toolsListChanged: true,
      ...(subscribe === undefined
        ? {}
        : { resourceSubscriptions: [subscribe] }),
    });
    void subscription.closed.then((how) => client.ended = how === "graceful");
    return client;
  }

  override close(): Promise<void> {
    return this.#sdk.close();
  }
}
