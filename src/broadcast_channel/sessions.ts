import {
  ClusterSessions,
  type ClusterSessionsOptions,
} from "../cluster/sessions.ts";
import { BroadcastChannelBus } from "./message_bus.ts";

/** Options of {@linkcode BroadcastChannelSessions}. */
export interface BroadcastChannelSessionsOptions
  extends ClusterSessionsOptions {}

/**
 * Sessions that are shared by the workers of one process, over
 * `BroadcastChannel`. Create one in every worker, with the same name. The
 * guarantees are those of {@linkcode ClusterSessions}.
 *
 * `BroadcastChannel` does not leave its process on any runtime: for several
 * processes or machines, use Redis. On Deno, an open channel keeps the process
 * alive; call `close` if nothing else ends it.
 *
 * @example
 * ```ts
 * import { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
 *
 * // In one worker …
 * await using one = new BroadcastChannelSessions("my-server");
 * // … and in another one.
 * await using two = new BroadcastChannelSessions("my-server");
 * await Promise.all([one.ready, two.ready]);
 *
 * let known: Promise<void> | undefined;
 * const stream = new ReadableStream<Uint8Array>({
 *   start(controller) {
 *     known = one.streams.create("session-1", controller);
 *   },
 * });
 * await known;
 * await two.streams.send(["session-1"], "data: hello\n\n");
 * const { value } = await stream.getReader().read();
 * console.log(new TextDecoder().decode(value)); // data: hello
 * ```
 */
export class BroadcastChannelSessions extends ClusterSessions {
  /**
   * Creates a node, which joins the other nodes of the same name.
   *
   * @param name The name of the cluster, the same in every worker: 1 to 256
   * characters.
   * @param options Limits, the name of this node, and callbacks.
   * @throws {InvalidArgumentError} If the name or an option is invalid.
   */
  constructor(name: string, options?: BroadcastChannelSessionsOptions) {
    super(new BroadcastChannelBus(name), options);
  }
}
