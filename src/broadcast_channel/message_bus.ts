import type { MessageBus } from "../cluster/messaging/message_bus.ts";
import { assertName } from "../cluster/membership/options.ts";

/**
 * The prefix of channel names, which other uses of `BroadcastChannel` don't
 * share.
 */
const PREFIX = "@crossmcp/session-manager/";
/**
 * How long a channel stays open after its last message was posted, in
 * milliseconds.
 */
const LINGER_MS = 10;

/**
 * Carries messages between the workers of one process, over a
 * `BroadcastChannel`.
 *
 * All messages use one channel, even those for one node. Posting to a channel
 * requires listening to it, so with a channel for each node everyone would
 * receive everything as well. A message is a string, which is cheap to clone
 * for the workers that ignore it.
 */
export class BroadcastChannelBus implements MessageBus {
  readonly #name: string;
  #channel: BroadcastChannel | undefined;

  /**
   * @param name The name of the cluster, 1 to 256 characters.
   * @param component Which managers use the channel, if not all three.
   * @throws {InvalidArgumentError} If the name is invalid.
   */
  constructor(name: string, component: string = "sessions") {
    assertName("name", name);
    this.#name = `${PREFIX}${component}:${name}`;
  }

  start(node: string, receive: (text: string) => void): void {
    const channel = new BroadcastChannel(this.#name);
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      // The node ignores and counts everything that is not a packet.
      if (!Array.isArray(data)) return receive(data as string);
      const [to, text] = data;
      if (typeof to !== "string" || to === node) receive(text);
    };
    // Sessions need not keep the process alive. Deno has no such switch: there,
    // close the sessions to end the process.
    (channel as { unref?: () => void }).unref?.();
    this.#channel = channel;
  }

  publish(text: string, to: string | undefined): void {
    this.#channel?.postMessage([to, text]);
  }

  async close(): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    // Deno before 2.8 loses messages that were posted just before closing.
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    channel?.close();
  }
}
