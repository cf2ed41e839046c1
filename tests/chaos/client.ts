import { SseParser } from "../../src/testing/support/sse_parser.ts";
import { FAULTS } from "./faults.ts";
import type { History } from "./history.ts";
import { type ChaosNode, HEARTBEAT_MS } from "./nodes/chaos_node.ts";
import { openStream, ping } from "./requests.ts";

/** How long a client waits before it connects again. */
const RETRY_MS = 60;
/** How long nodes may need to notice that another one is cut off. */
const MISSED_MS = 4 * HEARTBEAT_MS;

/** A connection of a client, from its request on. */
export interface Connection {
  readonly node: ChaosNode;
  readonly number: number;
  readonly requestedAt: number;
  /** When the stream was announced. */
  connectedAt: number;
  closedAt: number;
}

/** An event or a reset that a client has received. */
export interface Received {
  /** Undefined for a reset. */
  readonly text: string | undefined;
  readonly eventId: string;
  /** Whether it has an ID of its own; others have that of the one before. */
  readonly hasOwnId: boolean;
  readonly at: number;
  readonly connection: Connection;
}

/** What a client knows of its session. */
export type SessionState =
  | "live"
  /** It is being ended, or nobody knows whether it was. */
  | "ending"
  | "ended"
  /** A node said that there is no such session, and may have said so. */
  | "lost";

/** A client with one session, which connects again whenever its stream ends. */
export class ChaosClient {
  readonly id: string;
  readonly name: string;
  /** When it asked for its session. */
  readonly askedAt: number;
  /** When its session had begun. */
  readonly beganAt: number;
  /** When it had the first ID of an event. */
  anchoredAt: number = Infinity;
  readonly received: Received[] = [];
  readonly connections: Connection[] = [];
  state: SessionState = "live";
  /** The nodes that have surely seen the session as it is. */
  readonly knownTo: Set<ChaosNode> = new Set();
  /** The value that was last written, by a number that grows. */
  written: number = 0;
  /** How many writes have not returned. */
  writing: number = 0;
  /** The value that all nodes had at the last check. */
  agreed: unknown;
  /** The nodes that wrote since then. */
  readonly writers: Set<ChaosNode> = new Set();
  /** The nodes that have said that it has ended. */
  readonly endedOn: Set<ChaosNode> = new Set();
  /** How it was ended, and where. */
  endedAt: number = Infinity;
  ending: { readonly node: ChaosNode; readonly isDelete: boolean } | undefined;
  readonly #history: History;
  readonly #choose: () => ChaosNode | undefined;
  #lastEventId = "";
  /** Changes with each connection: the one before is not read any more. */
  #attempt = 0;
  #stop: () => void = () => {};
  #isOpen = false;

  /**
   * @param id Its session ID.
   * @param askedAt When it asked for its session.
   * @param history What happened.
   * @param choose Chooses a node to connect to again.
   */
  constructor(
    id: string,
    askedAt: number,
    history: History,
    choose: () => ChaosNode | undefined,
  ) {
    this.id = id;
    this.askedAt = askedAt;
    this.#history = history;
    this.#choose = choose;
    this.name = `c${history.clients.length}`;
    this.beganAt = history.now;
  }

  /** Whether it has a stream, or tries to. */
  get wantsStream(): boolean {
    return this.#isOpen;
  }

  /** Whether its newest stream was announced and is open. */
  get isConnected(): boolean {
    const last = this.connections.at(-1);
    return this.#isOpen && last !== undefined && last.connectedAt < Infinity &&
      last.closedAt === Infinity;
  }

  /** Opens its stream on a node, and again elsewhere when it ends. */
  open(node: ChaosNode, isAbrupt: boolean): void {
    if (this.state !== "live") return;
    this.#end(isAbrupt);
    this.#isOpen = true;
    void this.#run(node, ++this.#attempt);
  }

  /** Disconnects. */
  leave(): void {
    this.#isOpen = false;
    this.#attempt++;
    this.#end(false);
  }

  /** Loses its stream, as the node is gone; it connects elsewhere. */
  lose(node: ChaosNode): void {
    const last = this.connections.at(-1);
    if (!this.#isOpen || last?.node !== node) return;
    const next = this.#choose();
    if (next !== undefined) this.open(next, true);
  }

  /** Sends a request; returns the status, undefined if the node has closed. */
  async ping(node: ChaosNode): Promise<number | undefined> {
    return await this.#answer(
      node,
      () => ping(node, this.id),
      (status) => status,
    );
  }

  #end(isAbrupt: boolean): void {
    const last = this.connections.at(-1);
    if (last === undefined || last.closedAt < Infinity) return;
    last.closedAt = this.#history.now;
    if (!isAbrupt) this.#stop();
    this.#stop = () => {};
  }

  async #run(node: ChaosNode, attempt: number): Promise<void> {
    let next: ChaosNode | undefined = node;
    while (attempt === this.#attempt && this.state === "live") {
      if (next !== undefined) await this.#connect(next, attempt);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      next = this.#choose();
    }
  }

  /** Connects once, and reads until the stream ends. */
  async #connect(node: ChaosNode, attempt: number): Promise<void> {
    const connection: Connection = {
      node,
      number: this.connections.length,
      requestedAt: this.#history.now,
      connectedAt: Infinity,
      closedAt: Infinity,
    };
    this.connections.push(connection);
    const response = await this.#answer(
      node,
      () => openStream(node, this.id, this.#lastEventId),
      ({ status }) => status,
    );
    if (response?.status === 200) {
      await this.#read(response.body!, connection, attempt);
    }
    connection.closedAt = Math.min(connection.closedAt, this.#history.now);
  }

  /** Reads a stream, until another one replaces it. */
  async #read(
    body: ReadableStream<Uint8Array>,
    connection: Connection,
    attempt: number,
  ): Promise<void> {
    const reader = body.getReader();
    const cancel = () => void reader.cancel().catch(() => {});
    if (attempt !== this.#attempt) return cancel();
    this.#stop = cancel;
    const parser = new SseParser();
    let taken = 0;
    let before = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || attempt !== this.#attempt) return;
        parser.push(value);
        if (parser.comments.includes(" connected")) {
          connection.connectedAt = Math.min(
            connection.connectedAt,
            this.#history.now,
          );
        }
        if (parser.lastEventId !== "") {
          this.#lastEventId = parser.lastEventId;
          this.anchoredAt = Math.min(this.anchoredAt, this.#history.now);
        }
        for (; taken < parser.events.length; taken++) {
          const { type, data, lastEventId } = parser.events[taken]!;
          const hasOwnId = lastEventId !== before;
          before = lastEventId;
          // It only tells the client its position.
          if (type === "position") continue;
          this.received.push({
            text: type === "reset" ? undefined : data,
            eventId: lastEventId,
            hasOwnId,
            at: this.#history.now,
            connection,
          });
        }
      }
    } catch {
      // The stream was aborted.
    }
  }

  /** Sends a request, and judges the status of the response. */
  async #answer<Answer>(
    node: ChaosNode,
    request: () => Promise<Answer>,
    statusOf: (answer: Answer) => number,
  ): Promise<Answer | undefined> {
    const { state } = this;
    const from = this.#history.now;
    try {
      const answer = await request();
      if (node.goneAt < Infinity || state !== "live") return answer;
      this.#judge(node, statusOf(answer), from);
      return answer;
    } catch (error) {
      if (node.goneAt === Infinity) {
        this.#history.violate(
          `a request of ${this.name} to ${node.name} was rejected: ${error}`,
        );
      }
      return undefined;
    }
  }

  #judge(node: ChaosNode, status: number, from: number): void {
    if (status === 200) return;
    const history = this.#history;
    if (status === 503) {
      if (!history.isDisturbed(from, history.now)) {
        history.violate(
          `${node.name} answered ${this.name} with 503, and nothing failed`,
        );
      }
      return;
    }
    // It may have been ended meanwhile.
    if (status === 404 && this.state !== "live") return;
    const isAllowed = status === 404 && this.#mayBeForgotten(node);
    if (status === 404) this.state = "lost";
    if (isAllowed) return;
    history.violate(
      `${node.name} answered ${this.name} with ${status}, whose session is live`,
    );
  }

  /**
   * Returns whether a node may not know the session (guarantees.md): there is
   * no store, and it began while the nodes could not reach each other; or the
   * nodes that know it are gone, and it began in an outage, or the store has
   * lost it. A node that starts around an outage has not seen it, and it takes
   * three heartbeats to notice that another one is cut off (redis.md).
   */
  #mayBeForgotten(node: ChaosNode): boolean {
    const history = this.#history;
    if (this.knownTo.has(node)) return false;
    const isNew = history.isDisturbed(this.beganAt, history.now);
    if (!history.isStored) return isNew;
    const isLost = history.faults.some(({ fault, healedAt }) =>
      FAULTS[fault].losesData && healedAt > this.beganAt
    );
    if (history.isDisturbed(node.startedAt, node.startedAt)) return true;
    const isUnnoticed = history.faults.some((fault) =>
      fault.node !== undefined && this.knownTo.has(fault.node) &&
      fault.from <= this.beganAt && history.now < fault.from + MISSED_MS
    );
    if (isUnnoticed) return true;
    return (isNew || isLost) &&
      [...this.knownTo].every(({ goneAt }) => goneAt < Infinity);
  }
}
