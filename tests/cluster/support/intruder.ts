import type { MessageBus } from "@crossmcp/session-manager/cluster";
import type { LossyNetwork } from "@crossmcp/session-manager/testing";

type Json = Readonly<Record<string, unknown>>;

/** What an {@linkcode Intruder} is asked, and by whom. */
export interface Asked {
  readonly from: string;
  readonly id: number;
  readonly ask: Json & { readonly kind: string };
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
   * @param beatMs How often it shows that it lives.
   * @param onAsked Told of each question to it.
   */
  constructor(
    network: LossyNetwork,
    beatMs: number,
    onAsked: (asked: Asked) => void = () => {},
  ) {
    this.#bus = network.bus();
    this.#onAsked = onAsked;
    void this.#bus.start("intruder", (text) => this.#hear(JSON.parse(text)));
    const beat = () => {
      this.say({ kind: "beat", newest: { number: this.#newest }, digests: {} });
    };
    beat();
    this.#beat = setInterval(beat, beatMs);
  }

  /** Says anything. */
  say(message: unknown, to?: string): void {
    const packet = { v: 1, from: "intruder", incarnation: 1 };
    const text = JSON.stringify({ ...packet, ...message as Json });
    void this.#bus.publish(text, to);
  }

  /** Says items that have to arrive, as nodes do. */
  tell(...items: readonly unknown[]): void {
    const after = { number: this.#newest };
    this.say({ kind: "batch", number: ++this.#newest, after, items });
  }

  /** Says items in a batch that nobody can read: the next one takes its place. */
  tellInVain(...items: readonly unknown[]): void {
    this.tell(...items);
    this.#newest--;
  }

  /** Leaves. */
  leave(): void {
    clearInterval(this.#beat);
    this.say({ kind: "bye" });
    void this.#bus.close();
  }

  #hear(packet: Json & { readonly from: string }): void {
    const { from, kind, attempt } = packet;
    if (kind === "join") {
      const after = this.#newest;
      this.say({ kind: "joined", attempt, after }, from);
      this.say({ kind: "join", attempt: 1, isJoined: true }, from);
    }
    if (kind !== "batch") return;
    const { number, items } = packet as unknown as {
      number: number;
      items: readonly (Asked & { readonly kind: string })[];
    };
    this.say({ kind: "ack", attempt: 1, number }, from);
    for (const { kind, id, ask } of items) {
      if (kind === "question") this.#onAsked({ from, id, ask });
      if (kind === "answer") this.answers.push({ from, id });
    }
  }
}
