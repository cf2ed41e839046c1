import { InMemorySessions, type Sessions } from "@crossmcp/session-manager";
import {
  createEventStore,
  type SdkEventStore,
} from "@crossmcp/session-manager/sdk";
import * as modern from "@modelcontextprotocol/server";
// Deno doesn't find types for import paths that have an extension.
// @ts-types="@modelcontextprotocol/sdk/server/mcp"
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
// @ts-types="@modelcontextprotocol/sdk/server/webStandardStreamableHttp"
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { TestEvents } from "../../src/testing/support/test_client.ts";
import { within } from "../e2e/support/until.ts";
import { range } from "./support/stores.ts";

/** A server and its transport, which the test keeps itself. */
interface Own {
  readonly transport: {
    handleRequest(request: Request): Promise<Response>;
  };
  readonly server: {
    sendLoggingMessage(params: { level: "info"; data: unknown }): Promise<void>;
    close(): Promise<void>;
  };
}

interface Sdk {
  readonly name: string;
  readonly start: (sessionId: string, store: SdkEventStore) => Promise<Own>;
}

const INFO = { name: "own", version: "1.0.0" };
const OPTIONS = { capabilities: { logging: {} } };
const SDKS: readonly Sdk[] = [
  {
    name: "1.x",
    start: async (sessionId, eventStore) => {
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => sessionId,
        eventStore,
      });
      const server = new McpServer(INFO, OPTIONS);
      await server.connect(transport);
      return { transport, server };
    },
  },
  {
    name: "2.x",
    start: async (sessionId, eventStore) => {
      const transport = new modern.WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => sessionId,
        eventStore,
      });
      const server = new modern.McpServer(INFO, OPTIONS);
      await server.connect(transport);
      return { transport, server };
    },
  },
];

const VERSION = "2025-11-25";

/** A client that has initialized. */
class Client {
  readonly #own: Own;
  readonly #id: string;

  private constructor(own: Own, id: string) {
    this.#own = own;
    this.#id = id;
  }

  static async begin(
    sdk: Sdk,
    sessions: Sessions,
  ): Promise<{ client: Client; own: Own }> {
    const id = crypto.randomUUID();
    const own = await sdk.start(id, createEventStore(sessions, id));
    const client = new Client(own, id);
    const response = await client.#post({
      id: 1,
      method: "initialize",
      params: {
        protocolVersion: VERSION,
        capabilities: {},
        clientInfo: { name: "test", version: "1" },
      },
    });
    await response.text();
    await client.#post({ method: "notifications/initialized" });
    return { client, own };
  }

  /** Opens the standalone stream. */
  async listen(lastEventId?: string): Promise<TestEvents> {
    const response = await this.#own.transport.handleRequest(
      new Request("http://localhost/mcp", {
        headers: {
          accept: "text/event-stream",
          "mcp-session-id": this.#id,
          "mcp-protocol-version": VERSION,
          ...lastEventId !== undefined && { "last-event-id": lastEventId },
        },
      }),
    );
    assertEquals(response.status, 200);
    return new TestEvents(response.body!);
  }

  #post(message: object): Promise<Response> {
    return this.#own.transport.handleRequest(
      new Request("http://localhost/mcp", {
        method: "POST",
        headers: {
          accept: "application/json, text/event-stream",
          "content-type": "application/json",
          "mcp-session-id": this.#id,
          "mcp-protocol-version": VERSION,
        },
        body: JSON.stringify({ jsonrpc: "2.0", ...message }),
      }),
    );
  }
}

function log(own: Own, data: number): Promise<void> {
  return own.server.sendLoggingMessage({ level: "info", data });
}

/** Takes numbered notifications from a stream. */
async function numbers(events: TestEvents, count: number): Promise<number[]> {
  const taken = await within(events.take(count), `${count} events`);
  return taken.map(({ data }) => JSON.parse(data).params.data);
}

for (const sdk of SDKS) {
  describe(`createEventStore, with transports of the SDK ${sdk.name}`, () => {
    it("K5 the standalone stream is replayed, for each session its own", async () => {
      await using sessions = new InMemorySessions({ streams: { replay: {} } });
      const { client, own } = await Client.begin(sdk, sessions);
      const { client: other, own: otherOwn } = await Client.begin(
        sdk,
        sessions,
      );
      const stream = await client.listen();
      const otherStream = await other.listen();
      await log(own, 1);
      await log(otherOwn, 101);
      const [first] = await stream.take();
      const [otherFirst] = await otherStream.take();
      await stream.cancel();
      await otherStream.cancel();
      for (const number of range(2, 5)) {
        await log(own, number);
        await log(otherOwn, 100 + number);
      }
      const again = await client.listen(first!.lastEventId);
      const otherAgain = await other.listen(otherFirst!.lastEventId);
      await log(own, 6);
      assertEquals(await numbers(again, 5), range(2, 6));
      assertEquals(await numbers(otherAgain, 4), range(102, 105));
      await Promise.all([own, otherOwn].map(({ server }) => server.close()));
    });

    it("K5 a client whose old connection is not known to be dead gets no 409", async () => {
      await using sessions = new InMemorySessions({ streams: { replay: {} } });
      const { client, own } = await Client.begin(sdk, sessions);
      const stream = await client.listen();
      await log(own, 1);
      const [first] = await stream.take();
      const again = await client.listen(first!.lastEventId);
      await log(own, 2);
      assertEquals(await numbers(again, 1), [2]);
      await own.server.close();
    });

    it("K5 nothing is lost or doubled while a client keeps reconnecting", async () => {
      await using sessions = new InMemorySessions({ streams: { replay: {} } });
      const { client, own } = await Client.begin(sdk, sessions);
      let stream = await client.listen();
      await log(own, 0);
      let [last] = await stream.take();
      const received: number[] = [];
      const sending = (async () => {
        for (const number of range(1, 300)) {
          await log(own, number);
          if (number % 7 === 0) {
            await new Promise((resolve) => setTimeout(resolve));
          }
        }
      })();
      let reconnects = 0;
      while (received.at(-1) !== 300) {
        const previous = stream;
        stream = await client.listen(last!.lastEventId);
        reconnects++;
        await previous.cancel();
        // The client loses everything after this one.
        [last] = await within(stream.take(), "an event");
        received.push(JSON.parse(last!.data).params.data);
      }
      await sending;
      assertEquals(received, range(1, 300));
      assert(reconnects > 100, `There were ${reconnects} reconnects.`);
      await own.server.close();
    });
  });
}
