import { TestClient } from "../../src/testing/support/test_client.ts";
import type { ReceivedEvent } from "../../src/testing/support/sse_parser.ts";
import { EventCollector } from "./event_collector.ts";
import type { NodeActions } from "./node_actions.ts";

/** Clients of a guarded transport of a node. Runs where the node is. */
export class ClientActions {
  readonly #node: NodeActions;
  readonly #collectors: Map<string, EventCollector> = new Map();

  /** @param node The node whose guard is used. */
  constructor(node: NodeActions) {
    this.#node = node;
  }

  /** Begins a session; returns its ID. */
  async begin(): Promise<string> {
    return (await TestClient.begin(this.#node.sessions)).id;
  }

  /** Sends a ping; returns the status of the response. */
  ping(id: string): Promise<number> {
    return this.#client(id).ping();
  }

  /** Ends a session; returns the status of the response. */
  end(id: string): Promise<number> {
    return this.#client(id).end();
  }

  /** Opens the stream of a session, after the last event ID if there is one. */
  async listen(id: string, lastEventId?: string): Promise<number> {
    const headers = { accept: "text/event-stream" };
    const { status, body } = await this.#client(id).request(
      "GET",
      lastEventId === undefined
        ? headers
        : { ...headers, "last-event-id": lastEventId },
    );
    if (status !== 200) return status;
    const collector = new EventCollector(body!);
    this.#collectors.set(id, collector);
    // Only then do all nodes know.
    await collector.until(() => collector.isConnected);
    return status;
  }

  /** Waits for this many events on the newest stream of a client. */
  async events(id: string, count: number): Promise<ReceivedEvent[]> {
    const collector = this.#collector(id);
    await collector.until(() => collector.events.length >= count);
    return collector.events;
  }

  /** Waits for a last event ID, as the client would send it. */
  async position(id: string): Promise<string> {
    const collector = this.#collector(id);
    await collector.until(() => collector.lastEventId !== "");
    return collector.lastEventId;
  }

  /**
   * Disconnects a client from its stream; returns the events that it received.
   */
  async leave(id: string): Promise<ReceivedEvent[]> {
    const collector = this.#collector(id);
    await collector.cancel();
    return collector.events;
  }

  #client(id: string): TestClient {
    return new TestClient(this.#node.sessions, { id });
  }

  #collector(id: string): EventCollector {
    const collector = this.#collectors.get(id);
    if (collector === undefined) throw new Error(`"${id}" has no stream here.`);
    return collector;
  }
}
