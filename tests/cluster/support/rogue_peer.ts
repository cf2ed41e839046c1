import type { MessageBus } from "@crossmcp/session-manager/cluster";
import type { LossyNetwork } from "@crossmcp/session-manager/testing";

type Json = Readonly<Record<string, unknown>>;

/** A request to an {@linkcode RoguePeer}. */
export interface PeerRequest {
  readonly from: string;
  readonly id: number;
  readonly request: Json & { readonly kind: string };
}

/**
 * A member that speaks the protocol well enough to count as a node, and sends
 * whatever a test wants.
 */
export class RoguePeer {
  /** The responses to its own requests, valid or not. */
  readonly responses: { readonly from: string; readonly id: number }[] = [];
  readonly #bus: MessageBus;
  readonly #onRequest: (request: PeerRequest) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #lastSeq = 0;

  /**
   * @param network The network of the others.
   * @param heartbeatMs How often it sends a heartbeat.
   * @param onRequest Called with each request to it.
   */
  constructor(
    network: LossyNetwork,
    heartbeatMs: number,
    onRequest: (request: PeerRequest) => void = () => {},
  ) {
    this.#bus = network.bus();
    this.#onRequest = onRequest;
    void this.#bus.start("rogue", (text) => this.#receive(JSON.parse(text)));
    const sendHeartbeat = () => {
      this.send({
        kind: "heartbeat",
        lastSeq: { seq: this.#lastSeq },
        digests: {},
      });
    };
    sendHeartbeat();
    this.#timer = setInterval(sendHeartbeat, heartbeatMs);
  }

  /** Sends any packet. */
  send(message: unknown, to?: string): void {
    const packet = { v: 3, from: "rogue", incarnation: 1 };
    const text = JSON.stringify({ ...packet, ...message as Json });
    void this.#bus.publish(text, to);
  }

  /** Sends messages reliably, as nodes do. */
  sendReliably(...messages: readonly unknown[]): void {
    const prevSeq = { seq: this.#lastSeq };
    this.send({
      kind: "batch",
      seq: ++this.#lastSeq,
      prevSeq,
      messages,
    });
  }

  /**
   * Sends messages in a batch that no node can read; the next batch takes its
   * sequence number.
   */
  sendUnreadable(...messages: readonly unknown[]): void {
    this.sendReliably(...messages);
    this.#lastSeq--;
  }

  /** Leaves. */
  leave(): void {
    clearInterval(this.#timer);
    this.send({ kind: "leave" });
    void this.#bus.close();
  }

  #receive(packet: Json & { readonly from: string }): void {
    const { from, kind, handshakeId } = packet;
    if (kind === "join") {
      const afterSeq = this.#lastSeq;
      this.send({ kind: "joinAck", handshakeId, afterSeq }, from);
      this.send({ kind: "join", handshakeId: 1, isJoined: true }, from);
    }
    if (kind !== "batch") return;
    const { seq, messages } = packet as unknown as {
      seq: number;
      messages: readonly (PeerRequest & { readonly kind: string })[];
    };
    this.send({ kind: "ack", handshakeId: 1, seq }, from);
    for (const { kind, id, request } of messages) {
      if (kind === "request") this.#onRequest({ from, id, request });
      if (kind === "response") this.responses.push({ from, id });
    }
  }
}
