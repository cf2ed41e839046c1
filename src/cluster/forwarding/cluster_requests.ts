import { ClusterError } from "../../errors.ts";
import type {
  ForwardedMessage,
  LocalRequests,
  RemoteRequests,
  ResumeRequest,
} from "../../requests/remote_requests.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type { ForwardedCall } from "../messaging/forward_protocol.ts";
import type { RpcRequest } from "../messaging/rpc_protocol.ts";
import { isTarget } from "../messaging/protocol_items.ts";
import { type RequestForwarder, toHeaders } from "./request_forwarder.ts";

/** The open requests of all nodes: finds the node, and forwards to it. */
export class ClusterRequests implements RemoteRequests {
  readonly #node: ClusterNode;
  readonly #forwarder: RequestForwarder;
  readonly #local: () => LocalRequests;

  /**
   * @param node This node, which must not have started.
   * @param forwarder Hands requests to other nodes.
   * @param local Returns the open requests of this node.
   */
  constructor(
    node: ClusterNode,
    forwarder: RequestForwarder,
    local: () => LocalRequests,
  ) {
    this.#node = node;
    this.#local = local;
    this.#forwarder = forwarder;
    node.respond(
      "hasRequest",
      ({ session, eventId }) => local().hasRequest(session, eventId),
    );
    node.respond(
      "awaits",
      ({ session, target }) =>
        isTarget(target) && local().awaits(session, target),
    );
  }

  async deliver(
    { sessionId, target, request, body }: ForwardedMessage,
  ): Promise<Response | undefined> {
    const node = await this.#find({
      kind: "awaits",
      session: sessionId,
      target,
    });
    if (node === undefined) return undefined;
    return await this.#forwarder.forward(node, {
      purpose: "deliver",
      session: sessionId,
      url: request.url,
      headers: [...request.headers],
      body,
      target,
    });
  }

  async resume(
    { sessionId, lastEventId, prime }: ResumeRequest,
  ): Promise<ReadableStream<Uint8Array> | null | undefined> {
    const node = await this.#find({
      kind: "hasRequest",
      session: sessionId,
      eventId: lastEventId,
    });
    if (node === undefined) {
      if (!this.#node.isUnreachable) return undefined;
      throw new ClusterError(
        "The response cannot be resumed: the other nodes cannot be asked for " +
          "it, because the message bus is down. Try again later.",
      );
    }
    const response = await this.#forwarder.forward(node, {
      purpose: "resume",
      session: sessionId,
      lastEventId,
      prime,
    });
    return response?.body;
  }

  /** Answers a request of another node. */
  async answer(
    call: Exclude<ForwardedCall, { purpose: "host" }>,
  ): Promise<Response | undefined> {
    const { session: sessionId } = call;
    if (call.purpose === "resume") {
      const { lastEventId, prime } = call;
      const request = { sessionId, lastEventId, prime };
      const stream = this.#local().resumeHere(request);
      return stream === undefined ? undefined : new Response(stream);
    }
    const { url, headers, body, target } = call;
    const request = new Request(url, {
      method: "POST",
      headers: toHeaders(headers),
      body,
    });
    return await this.#local().deliver({ sessionId, target, request });
  }

  /** Returns the other node that answers a request with `true`. */
  async #find(request: RpcRequest): Promise<string | undefined> {
    if (this.#node.others.length === 0) return undefined;
    const responses = await this.#node.request(request, {
      // Only one node has the request, so wait for one that is busy.
      extraTimeoutMs: this.#node.downAfterMs,
      isSufficient: (response) => response === true,
    });
    return [...responses].find(([, response]) => response === true)?.[0];
  }
}
