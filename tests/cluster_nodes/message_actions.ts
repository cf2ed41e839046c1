import { frame } from "../../src/testing/support/test_client.ts";
import type { NodeActions } from "./node_actions.ts";

/** A frame for some sessions, or for all. */
export interface Sent {
  readonly to: string[] | undefined;
  readonly text: string;
}

/** Sends more than one call does. Runs where the node is. */
export class MessageActions {
  readonly #node: NodeActions;
  #babbling: { isOver: boolean; ended: Promise<number> } | undefined;

  /** @param node The sender. */
  constructor(node: NodeActions) {
    this.#node = node;
  }

  /** Sends a frame. */
  async send(to: string[] | undefined, text: string): Promise<void> {
    await this.#node.sessions.streams.send(to, frame(text));
  }

  /** Sends frames, all in one turn. */
  async sendMany(sent: readonly Sent[]): Promise<void> {
    await Promise.all(sent.map(({ to, text }) => this.send(to, text)));
  }

  /** Sends the numbers from 0, all in one turn. */
  async sendNumbers(
    to: string[] | undefined,
    count: number,
    prefix: string = "",
  ): Promise<void> {
    await this.sendMany(
      Array.from({ length: count }, (_, index) => ({
        to,
        text: `${prefix}${index}`,
      })),
    );
  }

  /** Sends the numbers from 0, turn by turn, until it is stopped. */
  startNumbers(
    to: string[] | undefined,
    options: { prefix?: string; perTurn?: number } = {},
  ): void {
    const { prefix = "", perTurn = 20 } = options;
    const babbling = { isOver: false, ended: Promise.resolve(0) };
    const babble = async () => {
      let count = 0;
      while (!babbling.isOver) {
        const texts = Array.from(
          { length: perTurn },
          () => ({ to, text: `${prefix}${count++}` }),
        );
        await this.sendMany(texts);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      return count;
    };
    babbling.ended = babble();
    this.#babbling = babbling;
  }

  /** Stops sending; returns how many numbers were sent. */
  async stopNumbers(): Promise<number> {
    const babbling = this.#babbling!;
    babbling.isOver = true;
    return await babbling.ended;
  }
}
