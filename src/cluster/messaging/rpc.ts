import type { ClusterMessage, RpcRequest } from "./protocol.ts";

/** Sends an item to a node. */
export type SendTo = (node: string, item: ClusterMessage) => void;

/** Answers questions of other nodes. */
export type RequestHandler<Kind extends RpcRequest["kind"]> = (
  ask: Extract<RpcRequest, { kind: Kind }>,
  from: string,
) => unknown;

interface OpenRequest {
  readonly open: Set<string>;
  readonly responses: Map<string, unknown>;
  readonly resolve: (answers: ReadonlyMap<string, unknown>) => void;
  readonly isSufficient: (answer: unknown) => boolean;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Questions to other nodes, and theirs to this one. */
export class Rpc {
  readonly #send: SendTo;
  readonly #report: (error: Error) => void;
  readonly #open: Map<number, OpenRequest> = new Map();
  readonly #handlers: Map<string, (ask: never, from: string) => unknown> =
    new Map();
  /** Not the same as that of an earlier node of this name. */
  #last = Math.floor(Math.random() * 2 ** 40);

  /**
   * @param tell Sends an item to a node.
   * @param report Told of what an answer failed with.
   */
  constructor(tell: SendTo, report: (error: Error) => void) {
    this.#send = tell;
    this.#report = report;
  }

  /** Answers a kind of questions from now on. */
  handle<Kind extends RpcRequest["kind"]>(
    kind: Kind,
    answer: RequestHandler<Kind>,
  ): void {
    this.#handlers.set(kind, answer);
  }

  /**
   * Asks nodes.
   *
   * @param nodes Whom.
   * @param ask What.
   * @param patienceMs How long to wait for answers, in milliseconds.
   * @param isEnough Whether an answer makes the others needless.
   * @returns The answers in time, of those that can answer.
   */
  request(
    nodes: readonly string[],
    request: RpcRequest,
    patienceMs: number,
    isEnough: (answer: unknown) => boolean = () => false,
  ): Promise<ReadonlyMap<string, unknown>> {
    if (nodes.length === 0) return Promise.resolve(new Map());
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#open.set(id, {
        open: new Set(nodes),
        responses: new Map(),
        resolve,
        isSufficient: isEnough,
        timer: setTimeout(() => this.#finish(id), patienceMs),
      });
      for (const node of nodes) {
        this.#send(node, { kind: "request", id, request });
      }
    });
  }

  /** Handles a request and sends its response. */
  async respond(from: string, id: number, request: RpcRequest): Promise<void> {
    let response: unknown;
    try {
      // An unknown kind gets an empty response, so the caller does not wait.
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

  /** A node that has left answers no more. */
  onPeerDown(node: string): void {
    for (const id of [...this.#open.keys()]) {
      this.onResponse(node, id, undefined);
    }
  }

  /** Waits for no answer any more. */
  close(): void {
    for (const id of [...this.#open.keys()]) this.#finish(id);
  }

  #finish(id: number): void {
    const request = this.#open.get(id);
    if (request === undefined) return;
    clearTimeout(request.timer);
    this.#open.delete(id);
    request.resolve(request.responses);
  }
}
