import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { assertEquals } from "@std/assert";
import { TestClient } from "../../../src/testing/support/test_client.ts";
import { EventCollector } from "../../cluster_nodes/event_collector.ts";
import { PATIENCE_MS } from "../../cluster_nodes/remote_node.ts";
import { until } from "../../e2e/support/until.ts";

/**
 * A client with one session that opens its stream on one node after the other,
 * and records the data of all events, and "reset" for each reset.
 */
export class MovingClient {
  readonly id: string;
  readonly #earlier: string[] = [];
  #stream: EventCollector | undefined;
  #lastEventId = "";

  private constructor(id: string) {
    this.id = id;
  }

  /** Begins a session on a node. */
  static async begin(node: RedisSessions): Promise<MovingClient> {
    return new MovingClient((await TestClient.begin(node)).id);
  }

  /** All that it received, on all of its streams. */
  get received(): string[] {
    return [...this.#earlier, ...textsOf(this.#stream)];
  }

  /** Whether its newest stream is open. */
  get isOpen(): boolean {
    return this.#stream?.state === "open";
  }

  /**
   * Leaves its stream, if it has one, and opens another on a node. Tries again
   * while the node is unavailable.
   */
  async open(node: RedisSessions): Promise<void> {
    await this.leave();
    const headers = { accept: "text/event-stream" };
    let response: Response | undefined;
    await until(
      async () => {
        response = await new TestClient(node, { id: this.id }).request(
          "GET",
          this.#lastEventId === ""
            ? headers
            : { ...headers, "last-event-id": this.#lastEventId },
        );
        return response.status !== 503;
      },
      "the node to be available",
      PATIENCE_MS,
    );
    assertEquals(response!.status, 200, "A GET of a session is refused");
    const stream = new EventCollector(response!.body!);
    this.#stream = stream;
    // Only then do all nodes know.
    await stream.until(() => stream.isConnected);
  }

  /** Disconnects from its stream. */
  async leave(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) return;
    await stream.cancel();
    this.#lastEventId = stream.lastEventId || this.#lastEventId;
    this.#earlier.push(...textsOf(stream));
    this.#stream = undefined;
  }

  /** Waits until it has received something. */
  async gets(text: string): Promise<void> {
    await until(
      () => this.received.includes(text),
      () => `"${text}" after ${JSON.stringify(this.received)}`,
      PATIENCE_MS,
    );
  }

  /** Sends a ping to a node; returns the status of the response. */
  ping(node: RedisSessions): Promise<number> {
    return new TestClient(node, { id: this.id }).ping();
  }
}

function textsOf(stream: EventCollector | undefined): string[] {
  return stream?.events.map(({ type, data }) =>
    type === "reset" ? "reset" : data
  ) ?? [];
}
