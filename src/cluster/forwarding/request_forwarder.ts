import { ClusterError } from "../../errors.ts";
import { formatValue } from "../../format_value.ts";
import { Deferred } from "../../runtime/deferred.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type {
  ForwardedCall,
  ForwardMessage,
  Header,
} from "../messaging/forward_protocol.ts";
import { IncomingBody } from "./incoming_body.ts";
import { OutgoingBody } from "./outgoing_body.ts";

/** How many characters of a body may be unread by its caller. */
const WINDOW = 65_536;

/** Answers a forwarded request; undefined if this node can't. */
export type ForwardHandler = (
  call: ForwardedCall,
) => Promise<Response | undefined>;

/**
 * The result of a request that was forwarded: the response, or whether the other
 * node has started to work on the request.
 */
export type ForwardResult =
  | {
    readonly response: Response;
    /** Whether its whole body is here, so that it can't be interrupted. */
    readonly isComplete: boolean;
  }
  | { readonly response?: undefined; readonly wasStarted: boolean };

type Head = Extract<ForwardMessage, { kind: "forwardHead" }>;

/** A request that another node answers. */
interface PendingCall {
  readonly node: string;
  readonly result: Deferred<ForwardResult>;
  wasStarted: boolean;
  body?: IncomingBody;
}

/**
 * Hands requests to other nodes, and streams their responses back. A caller
 * that reads slowly slows the other node down, and one that stops reading
 * cancels the response there. Bodies are text.
 */
export class RequestForwarder {
  readonly #node: ClusterNode;
  readonly #handler: ForwardHandler;
  readonly #pending: Map<number, PendingCall> = new Map();
  /** The bodies that are being sent, by node and ID of the call. */
  readonly #sending: Map<string, Map<number, OutgoingBody>> = new Map();
  /** Starts at random, so that no earlier node of this name used the same. */
  #lastId = Math.floor(Math.random() * 2 ** 40);

  /**
   * @param node This node, which must not have started.
   * @param handler Answers the requests of other nodes.
   */
  constructor(node: ClusterNode, handler: ForwardHandler) {
    this.#node = node;
    this.#handler = handler;
    node.handle("forwardCall", ({ id, call, credit }, from) => {
      void this.#answer(from, id, call, credit);
    });
    node.handle("forwardStart", ({ id }) => {
      const call = this.#pending.get(id);
      if (call !== undefined) call.wasStarted = true;
    });
    node.handle("forwardHead", (head) => this.#onHead(head));
    node.handle(
      "forwardData",
      ({ id, text }) => this.#pending.get(id)?.body?.push(text),
    );
    node.handle(
      "forwardEnd",
      ({ id, isFailed }) => this.#end(id, isFailed === true),
    );
    node.handle(
      "forwardCredit",
      ({ id, credit }, from) => this.#sending.get(from)?.get(id)?.grant(credit),
    );
    node.handle(
      "forwardCancel",
      ({ id }, from) => this.#sending.get(from)?.get(id)?.cancel(),
    );
    node.listen({
      onPeerDown: (name) => this.#endAll(name),
      onLost: (name, { hasForwards }) => {
        if (hasForwards) this.#endAll(name);
      },
    });
  }

  /**
   * Hands a request to another node.
   *
   * @param node The name of the node.
   * @param call The request.
   * @returns The response, whose body fails if the node dies; undefined if the
   * node can't answer.
   */
  async forward(
    node: string,
    call: ForwardedCall,
  ): Promise<Response | undefined> {
    return (await this.tryForward(node, call)).response;
  }

  /**
   * The same, but tells whether a node that did not respond has started to work
   * on the request.
   */
  tryForward(node: string, call: ForwardedCall): Promise<ForwardResult> {
    const id = ++this.#lastId;
    const result = new Deferred<ForwardResult>();
    this.#pending.set(id, { node, result, wasStarted: false });
    this.#node.send(node, { kind: "forwardCall", id, call, credit: WINDOW });
    return result.promise;
  }

  async #answer(
    from: string,
    id: number,
    call: ForwardedCall,
    credit: number,
  ): Promise<void> {
    // Leaves in this turn, before a transport that is busy for long responds.
    this.#node.send(from, { kind: "forwardStart", id });
    let response: Response | undefined;
    try {
      response = await this.#handler(call);
    } catch (error) {
      this.#node.report(error as Error);
    }
    if (response === undefined) {
      return this.#node.send(from, { kind: "forwardHead", id });
    }
    const { status, headers, body } = response;
    this.#node.send(from, {
      kind: "forwardHead",
      id,
      status,
      headers: [...headers],
      hasBody: body !== null,
    });
    if (body === null) return;
    const sending = this.#sendingTo(from);
    const outgoing = new OutgoingBody(body, credit);
    sending.set(id, outgoing);
    const isComplete = await outgoing.sendAll((text) =>
      this.#node.send(from, { kind: "forwardData", id, text })
    );
    sending.delete(id);
    this.#node.send(from, { kind: "forwardEnd", id, isFailed: !isComplete });
  }

  #onHead({ id, status, headers = [], hasBody }: Head): void {
    const call = this.#pending.get(id);
    if (call === undefined) return;
    if (status === undefined || !hasBody) this.#pending.delete(id);
    if (status === undefined) {
      return call.result.resolve({ wasStarted: call.wasStarted });
    }
    const init: ResponseInit = { status, headers: toHeaders(headers) };
    if (!hasBody) {
      const response = new Response(null, init);
      return call.result.resolve({ response, isComplete: true });
    }
    const incoming = call.body = this.#bodyOf(id, call);
    // After the rest of this batch, with which most bodies are complete.
    queueMicrotask(() => {
      const { body, isComplete } = incoming.open();
      const response = new Response(body, init);
      call.result.resolve({ response, isComplete });
    });
  }

  #bodyOf(id: number, { node }: PendingCall): IncomingBody {
    return new IncomingBody(
      (credit) => {
        if (!this.#pending.has(id)) return;
        this.#node.send(node, { kind: "forwardCredit", id, credit });
      },
      () => {
        if (!this.#pending.delete(id)) return;
        this.#node.send(node, { kind: "forwardCancel", id });
      },
    );
  }

  #end(id: number, isFailed: boolean): void {
    const call = this.#pending.get(id);
    if (call === undefined) return;
    this.#pending.delete(id);
    const { body, wasStarted } = call;
    if (body === undefined) return call.result.resolve({ wasStarted });
    body.end(isFailed ? interrupted(call.node) : undefined);
  }

  #sendingTo(node: string): Map<number, OutgoingBody> {
    let sending = this.#sending.get(node);
    if (sending === undefined) this.#sending.set(node, sending = new Map());
    return sending;
  }

  /** Ends everything that is forwarded to a node or from it. */
  #endAll(name: string): void {
    for (const [id, { node }] of this.#pending) {
      if (node === name) this.#end(id, true);
    }
    for (const body of this.#sending.get(name)?.values() ?? []) body.cancel();
    this.#sending.delete(name);
  }
}

/** Creates headers from those of a message. */
export function toHeaders(headers: readonly Header[]): Headers {
  const result = new Headers();
  for (const [name, value] of headers) result.append(name, value);
  return result;
}

function interrupted(node: string): ClusterError {
  return new ClusterError(
    `The response of node ${formatValue(node)} was interrupted.`,
  );
}
