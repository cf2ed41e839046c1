// Runs in a web page: an official client, for the test to call.
// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

/** What the test calls in the page. */
export interface PageClient {
  /**
   * Connects, and resolves with the session ID.
   *
   * @param url The URL of the server.
   * @param oldId A session ID to send until the server assigns a new one, as
   * pages do that store it.
   */
  connect(url: string, oldId?: string): Promise<string>;
  /** Sends a ping; resolves with the status code if that fails. */
  ping(): Promise<number | undefined>;
  /** The methods of the notifications that the client received. */
  readonly notifications: string[];
}

let client: Client | undefined;
const notifications: string[] = [];

const page: PageClient = {
  notifications,
  async connect(url, oldId) {
    await client?.close();
    client = new Client({ name: "page", version: "1.0.0" });
    client.fallbackNotificationHandler = ({ method }) => {
      notifications.push(method);
      return Promise.resolve();
    };
    const transport = new StreamableHTTPClientTransport(new URL(url), {
      fetch: (url, init) => {
        const headers = new Headers(init?.headers);
        if (oldId !== undefined && !headers.has("mcp-session-id")) {
          headers.set("mcp-session-id", oldId);
        }
        return fetch(url, { ...init, headers });
      },
    });
    // The SDK's types don't support `exactOptionalPropertyTypes`.
    await client.connect(transport as Parameters<Client["connect"]>[0]);
    if (transport.sessionId === undefined) {
      throw new Error("The page cannot read its session ID.");
    }
    return transport.sessionId;
  },
  async ping() {
    try {
      await client!.ping();
    } catch (error) {
      return (error as { code: number }).code;
    }
  },
};

(globalThis as { page?: PageClient }).page = page;
