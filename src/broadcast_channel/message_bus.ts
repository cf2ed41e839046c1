import type { MessageBus } from "../cluster/messaging/message_bus.ts";
import { assertName } from "../cluster/membership/options.ts";

/** What other uses of `BroadcastChannel` in the process do not begin with. */
const PREFIX = "@crossmcp/session-manager/";
/** How long a channel stays open for what was posted last, in milliseconds. */
const LINGER_MS = 10;

/**
 * Carries messages between the workers of one process, over a `BroadcastChannel`.
 *
 * One channel has all messages, also those for one node: whoever posts to a channel
 * also listens to it, so a channel a node would be read by everyone as well. A
 * message is a text, which is cheap to clone for those that throw it away.
 */
export class BroadcastChannelBus implements MessageBus {
  readonly #name: string;
  #channel: BroadcastChannel | undefined;

  /**
   * @param name The name of the cluster, 1 to 256 characters.
   * @param part What it is for, where that is not everything.
   * @throws {InvalidArgumentError} For a name that is none.
   */
  constructor(name: string, part: string = "sessions") {
    assertName("name", name);
    this.#name = `${PREFIX}${part}:${name}`;
  }

  start(node: string, receive: (text: string) => void): void {
    const channel = new BroadcastChannel(this.#name);
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      // What else may be on the channel is for the node to ignore, and count.
      if (!Array.isArray(data)) return receive(data as string);
      const [to, text] = data;
      if (typeof to !== "string" || to === node) receive(text);
    };
    // A server keeps its process alive, sessions do not have to. Deno cannot do
    // that: there the process ends when the channel is closed.
    (channel as { unref?: () => void }).unref?.();
    this.#channel = channel;
  }

  publish(text: string, to: string | undefined): void {
    this.#channel?.postMessage([to, text]);
  }

  async close(): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    // Deno before 2.8 loses what was posted just before.
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
    channel?.close();
  }
}
