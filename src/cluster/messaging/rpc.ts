import type { Scheduler } from "../../runtime/scheduler.ts";
import type { ClusterMessage, RpcRequest } from "./protocol.ts";

/** Sends a message to a node. */
export type SendTo = (node: string, message: ClusterMessage) => void;

/** Handles requests of other nodes. */
export type RequestHandler<Kind extends RpcRequest["kind"]> = (
  request: Extract<RpcRequest, { kind: Kind }>,
  from: string,
) => unknown;

interface OpenRequest {
  readonly open: Set<string>;
  readonly responses: Map<string, unknown>;
  readonly resolve: (responses: ReadonlyMap<string, unknown>) => void;
  readonly isSufficient: (handler: unknown) => boolean;
  timer?: ReturnType<typeof setTimeout>;
}

/** Remote procedure calls: requests to other nodes, and theirs to this one. */
export class Rpc {
  readonly #send: SendTo;
  readonly #scheduler: Scheduler;
  readonly #report: (error: Error) => void;
  readonly #open: Map<number, OpenRequest> = new Map();
  readonly #handlers: Map<string, (request: never, from: string) => unknown> =
    new Map();
  /**
   * Starts at random, so that no earlier node of this name used the same IDs.
   */
  #last = Math.floor(Math.random() * 2 ** 40);

  /**
   * @param send Sends a message to a node.
   * @param scheduler The clock for timeouts. It stops while the event loop is
   * blocked.
   * @param report Reports the errors of handlers.
   */
  constructor(
    send: SendTo,
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
   * @param nodes Their names.
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
    isSufficient: (handler: unknown) => boolean = () => false,
  ): Promise<ReadonlyMap<string, unknown>> {
    if (nodes.length === 0) return Promise.resolve(new Map());
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#open.set(id, {
        open: new Set(nodes),
        responses: new Map(),
        resolve,
        isSufficient,
      });
      this.#finishAt(id, this.#scheduler.now() + timeoutMs);
      for (const node of nodes) {
        this.#send(node, { kind: "request", id, request });
      }
    });
  }

  /** Handles a request and sends its response. */
  async respond(from: string, id: number, request: RpcRequest): Promise<void> {
    let response: unknown;
    try {
      // An unknown kind gets an empty response, so that the caller doesn't
      // wait.
      response = await this.#handlers.get(request.kind)?.(
        request as never,
        from,
      );
    } catch (error) {
      this.#report(error as Error);
    }
    this.#send(from, { kind: "response", id, response });
  }

  /** Records a response. */
  onResponse(from: string, id: number, response: unknown): void {
    const request = this.#open.get(id);
    if (request === undefined || !request.open.delete(from)) return;
    if (response !== undefined) request.responses.set(from, response);
    if (request.open.size === 0 || request.isSufficient(response)) {
      this.#finish(id);
    }
  }

  /** A node that is down will not respond. */
  onPeerDown(node: string): void {
    for (const id of [...this.#open.keys()]) {
      this.onResponse(node, id, undefined);
    }
  }

  /** Ends all open requests. */
  close(): void {
    for (const id of [...this.#open.keys()]) this.#finish(id);
  }

  /**
   * Finishes a request at a time of the scheduler's clock, so that responses
   * that arrived while the event loop was blocked are received first.
   */
  #finishAt(id: number, deadline: number): void {
    const request = this.#open.get(id);
    if (request === undefined) return;
    const remainingMs = deadline - this.#scheduler.now();
    if (remainingMs <= 0) return this.#finish(id);
    request.timer = setTimeout(() => this.#finishAt(id, deadline), remainingMs);
  }

  #finish(id: number): void {
    const request = this.#open.get(id);
    if (request === undefined) return;
    clearTimeout(request.timer);
    this.#open.delete(id);
    request.resolve(request.responses);
  }
}
