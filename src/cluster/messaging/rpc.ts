import { Deferred } from "../../runtime/deferred.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import type { ClusterMessage } from "./protocol.ts";
import type { RpcRequest } from "./rpc_protocol.ts";

/**
 * Handles the requests of one kind. Returns the response, or a promise of it.
 */
export type RequestHandler<Kind extends RpcRequest["kind"]> = (
  request: Extract<RpcRequest, { kind: Kind }>,
  from: string,
) => unknown;

/** A request of this node that waits for responses. */
interface PendingRequest {
  readonly unansweredBy: Set<string>;
  readonly responses: Map<string, unknown>;
  readonly isSufficient: (response: unknown) => boolean;
  readonly done: Deferred<ReadonlyMap<string, unknown>>;
  timer?: ReturnType<typeof setTimeout>;
}

/** Remote procedure calls: requests to other nodes, and theirs to this one. */
export class Rpc {
  readonly #send: (node: string, message: ClusterMessage) => void;
  readonly #scheduler: Scheduler;
  readonly #report: (error: Error) => void;
  readonly #pending: Map<number, PendingRequest> = new Map();
  readonly #handlers: Map<string, (request: never, from: string) => unknown> =
    new Map();
  /**
   * Starts at random, so that no earlier node of this name used the same IDs.
   */
  #lastId = Math.floor(Math.random() * 2 ** 40);

  /**
   * @param send Sends a message to a node.
   * @param scheduler The clock for timeouts. It stops while the event loop is
   * blocked.
   * @param report Reports the errors of handlers.
   */
  constructor(
    send: (node: string, message: ClusterMessage) => void,
    scheduler: Scheduler,
    report: (error: Error) => void,
  ) {
    this.#send = send;
    this.#scheduler = scheduler;
    this.#report = report;
  }

  /** Sets the handler of a kind of request. */
  handle<Kind extends RpcRequest["kind"]>(
    kind: Kind,
    handler: RequestHandler<Kind>,
  ): void {
    this.#handlers.set(kind, handler);
  }

  /**
   * Sends a request to nodes.
   *
   * @param nodes The names of the nodes.
   * @param request The request.
   * @param timeoutMs How long to wait for responses, in milliseconds.
   * @param isSufficient Returns whether a response makes the others
   * unnecessary.
   * @returns The responses that arrived in time, by node.
   */
  request(
    nodes: readonly string[],
    request: RpcRequest,
    timeoutMs: number,
    isSufficient: (response: unknown) => boolean = () => false,
  ): Promise<ReadonlyMap<string, unknown>> {
    if (nodes.length === 0) return Promise.resolve(new Map());
    const id = ++this.#lastId;
    const done = new Deferred<ReadonlyMap<string, unknown>>();
    this.#pending.set(id, {
      unansweredBy: new Set(nodes),
      responses: new Map(),
      isSufficient,
      done,
    });
    this.#finishAt(id, this.#scheduler.now() + timeoutMs);
    for (const node of nodes) {
      this.#send(node, { kind: "request", id, request });
    }
    return done.promise;
  }

  /** Calls the handler of a request, and sends its response. */
  async respond(from: string, id: number, request: RpcRequest): Promise<void> {
    let response: unknown;
    try {
      // A request of an unknown kind, or whose handler fails, gets an empty
      // response, so that the other node doesn't wait.
      const handler = this.#handlers.get(request.kind);
      response = await handler?.(request as never, from);
    } catch (error) {
      this.#report(error as Error);
    }
    this.#send(from, { kind: "response", id, response });
  }

  /** Records a response. An empty one only ends the wait for its node. */
  onResponse(from: string, id: number, response: unknown): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || !pending.unansweredBy.delete(from)) return;
    const { unansweredBy, responses, isSufficient } = pending;
    if (response !== undefined) responses.set(from, response);
    if (unansweredBy.size === 0 || isSufficient(response)) this.#finish(id);
  }

  /** Stops waiting for the responses of a node that is down. */
  onPeerDown(node: string): void {
    for (const id of [...this.#pending.keys()]) {
      this.onResponse(node, id, undefined);
    }
  }

  /** Ends all pending requests. */
  close(): void {
    for (const id of [...this.#pending.keys()]) this.#finish(id);
  }

  /**
   * Finishes a request at a time of the scheduler's clock, so that responses
   * that arrived while the event loop was blocked are received first.
   */
  #finishAt(id: number, deadline: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    const remainingMs = deadline - this.#scheduler.now();
    if (remainingMs <= 0) return this.#finish(id);
    pending.timer = setTimeout(() => this.#finishAt(id, deadline), remainingMs);
  }

  #finish(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    pending.done.resolve(pending.responses);
  }
}
