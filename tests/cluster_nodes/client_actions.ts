import { TestClient } from "../../src/testing/support/test_client.ts";
import type { ReceivedEvent } from "../../src/testing/support/sse_parser.ts";
import { EventCollector } from "./event_collector.ts";
import type { NodeActions } from "./node_actions.ts";

/** Clients of a guarded transport of a node. It runs where the node is. */
export class ClientActions {
  readonly #node: NodeActions;
  readonly #collectors: Map<string, EventCollector> = new Map();

  /** @param node What guards the transport. */
  constructor(node: NodeActions) {
    this.#node = node;
  }

  /** A client begins a session; its id. */
  async begin(): Promise<string> {
    return (await TestClient.begin(this.#node.sessions)).id;
  }

  /** A client asks for a sign of life; the status of the answer. */
  ping(id: string): Promise<number> {
    return this.#client(id).ping();
  }

  /** A client ends its session; the status of the answer. */
  end(id: string): Promise<number> {
    return this.#client(id).end();
  }

  /** A client asks for its stream, after an event if it has got one. */
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
    // Only then do all nodes know of it.
    await collector.until(() => collector.isConnected);
    return status;
  }

  /** The events of the newest stream of a client, once they are as many. */
  async events(id: string, count: number): Promise<ReceivedEvent[]> {
    const collector = this.#collector(id);
    await collector.until(() => collector.events.length >= count);
    return collector.events;
  }

  /** What the client would send as `Last-Event-ID`, once there is something. */
  async position(id: string): Promise<string> {
    const collector = this.#collector(id);
    await collector.until(() => collector.lastEventId !== "");
    return collector.lastEventId;
  }

  /** A client goes away from its stream; the events that it got. */
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
