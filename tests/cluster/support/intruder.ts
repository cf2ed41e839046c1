import type { MessageBus } from "@crossmcp/session-manager/cluster";
import type { LossyNetwork } from "@crossmcp/session-manager/testing";

type Json = Readonly<Record<string, unknown>>;

/** What an {@linkcode Intruder} is asked, and by whom. */
export interface Asked {
  readonly from: string;
  readonly id: number;
  readonly request: Json & { readonly kind: string };
}

/**
 * Somebody who speaks the protocol well enough to be taken for a node, and says
 * whatever a test wants.
 */
export class Intruder {
  /** The answers to its own questions, whatever they are. */
  readonly answers: { readonly from: string; readonly id: number }[] = [];
  readonly #bus: MessageBus;
  readonly #onAsked: (asked: Asked) => void;
  readonly #beat: ReturnType<typeof setInterval>;
  #newest = 0;

  /**
   * @param network Where the others are.
   * @param heartbeatMs How often it shows that it lives.
   * @param onAsked Told of each question to it.
   */
  constructor(
    network: LossyNetwork,
    heartbeatMs: number,
    onAsked: (asked: Asked) => void = () => {},
  ) {
    this.#bus = network.bus();
    this.#onAsked = onAsked;
    void this.#bus.start("intruder", (text) => this.#hear(JSON.parse(text)));
    const beat = () => {
      this.say({
        kind: "heartbeat",
        lastSeq: { seq: this.#newest },
        digests: {},
      });
    };
    beat();
    this.#beat = setInterval(beat, heartbeatMs);
  }

  /** Says anything. */
  say(message: unknown, to?: string): void {
    const packet = { v: 2, from: "intruder", incarnation: 1 };
    const text = JSON.stringify({ ...packet, ...message as Json });
    void this.#bus.publish(text, to);
  }

  /** Says items that have to arrive, as nodes do. */
  tell(...items: readonly unknown[]): void {
    const prevSeq = { seq: this.#newest };
    this.say({
      kind: "batch",
      seq: ++this.#newest,
      prevSeq,
      messages: items,
    });
  }

  /** Says items in a batch that nobody can read: the next one takes its place. */
  tellInVain(...items: readonly unknown[]): void {
    this.tell(...items);
    this.#newest--;
  }

  /** Leaves. */
  leave(): void {
    clearInterval(this.#beat);
    this.say({ kind: "leave" });
    void this.#bus.close();
  }

  #hear(packet: Json & { readonly from: string }): void {
    const { from, kind, handshakeId } = packet;
    if (kind === "join") {
      const afterSeq = this.#newest;
      this.say({ kind: "joinAck", handshakeId, afterSeq }, from);
      this.say({ kind: "join", handshakeId: 1, isJoined: true }, from);
    }
    if (kind !== "batch") return;
    const { seq, messages } = packet as unknown as {
      seq: number;
      messages: readonly (Asked & { readonly kind: string })[];
    };
    this.say({ kind: "ack", handshakeId: 1, seq }, from);
    for (const { kind, id, request } of messages) {
      if (kind === "request") this.#onAsked({ from, id, request });
      if (kind === "response") this.answers.push({ from, id });
    }
  }
}
