import {
  ClusterSessions,
  type ClusterSessionsOptions,
} from "../cluster/sessions.ts";
import { BroadcastChannelBus } from "./message_bus.ts";

/** Options of {@linkcode BroadcastChannelSessions}. */
export interface BroadcastChannelSessionsOptions
  extends ClusterSessionsOptions {}

/**
 * Sessions of the workers of one process, over `BroadcastChannel`: each worker makes
 * one of the same name. What they guarantee, {@linkcode ClusterSessions} has.
 *
 * A `BroadcastChannel` does not leave its process, on any runtime: for several
 * processes or machines it takes Redis. On Deno an open one keeps its process
 * alive: `close` it where nothing else ends the process.
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
   * Makes a node, which joins the others of its name by itself.
   *
   * @param name The name of the cluster, the same in every worker: 1 to 256
   * characters.
   * @param options Limits of this node, its name, and where failures are reported.
   * @throws {InvalidArgumentError} For a name that is none, and for an option that
   * is out of range.
   */
  constructor(name: string, options?: BroadcastChannelSessionsOptions) {
    super(new BroadcastChannelBus(name), options);
  }
}
