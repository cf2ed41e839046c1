import { assertKnownOptions } from "../contracts/known_options.ts";
import { objectOption, timeoutMs } from "../contracts/resolve_options.ts";
import type { ErrorReportingOptions } from "../contracts/options.ts";
import type { EndTarget, NotifyTarget } from "../contracts/sessions.ts";
import { ClosedError } from "../errors.ts";
import { checkNotifyTarget } from "../operation/notifier.ts";
import { checkEndTarget } from "../operation/session_ender.ts";
import {
  checkNotification,
  type ServerNotification,
} from "../protocol/notifications.ts";
import { safeCallback } from "../runtime/callbacks.ts";
import type { Call } from "./calls/call.ts";
import { CallSender } from "./calls/call_sender.ts";
import type { RedisClient, RedisPublisher } from "./clients/client_types.ts";
import { resolvePublisher } from "./clients/resolve_clients.ts";
import { RedisConnection } from "./connection/connection.ts";
import { FormatCheck } from "./connection/format.ts";
import { RedisKeys } from "./connection/keys.ts";

/** Options of a {@linkcode RedisNotifier}. */
export interface RedisNotifierOptions extends ErrorReportingOptions {
  /**
   * The prefix of all keys and channels, the same as that of the nodes.
   *
   * @default "mcp"
   */
  readonly prefix?: string | undefined;
  /**
   * How long to wait for a reply of Redis, and for a node that takes a call, in
   * milliseconds.
   *
   * @default 5000
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * Notifies clients and ends sessions from a process that has no sessions, such
 * as a cron job, a webhook or another service. It is not a node: it opens no
 * connection, subscribes to nothing, and has no heartbeat.
 *
 * It writes each call to Redis. A node of `RedisSessions` executes it, with all
 * the guarantees of its `notify` and `end`, and stores the result. So a notifier
 * needs at least one node that is running, and no settings of the nodes but
 * their prefix.
 *
 * If a node dies while it works on a call, another node repeats the call after
 * five seconds. Only then, clients may get a notification twice.
 *
 * @example
 * ```ts no-eval
 * import { RedisNotifier } from "@crossmcp/session-manager/redis";
 * import { createClient } from "redis";
 *
 * const client = createClient({ url: "redis://localhost:6379" });
 * client.on("error", () => {}); // calls are rejected instead
 * await client.connect();
 *
 * const notifier = new RedisNotifier(client, { prefix: "my-server" });
 * await notifier.notify({ method: "notifications/tools/list_changed" });
 * await notifier.close();
 * client.destroy();
 * ```
 */
export class RedisNotifier {
  /**
   * Resolves when Redis was checked, or is unavailable for now. Rejects if the
   * client or the server cannot be used, or if the nodes use another format. The
   * error says what to do, and is also reported to `onError`.
   */
  readonly ready: Promise<void>;
  readonly #connection: RedisConnection;
  readonly #sender: CallSender;
  /** The last notification: the next one follows it. */
  #latest: Promise<unknown> = Promise.resolve();
  readonly #running: Set<Promise<unknown>> = new Set();
  #isClosed = false;

  /**
   * Creates a notifier.
   *
   * @param client A connected client. `close` does not close it.
   * @param options The prefix of the nodes, a timeout, and a callback. Each
   * outage of Redis is reported to `onError` once.
   * @throws {InvalidArgumentError} If the client or an option is invalid.
   */
  constructor(
    client: RedisClient | RedisPublisher,
    options?: RedisNotifierOptions,
  ) {
    const given = objectOption("options", options);
    const { prefix, onError } = given;
    assertKnownOptions(given, { prefix: true, timeoutMs: true, onError: true });
    const keys = new RedisKeys("sessions", prefix);
    const report = safeCallback("onError", onError);
    const waitMs = timeoutMs("timeoutMs", given.timeoutMs, 5_000);
    this.#connection = new RedisConnection({
      publisher: resolvePublisher(client, keys.format),
      // It never subscribes.
      subscriber: { given: undefined, open: undefined, isQuiet: false },
    }, waitMs);
    const format = new FormatCheck(this.#connection, keys, 0, report);
    this.#sender = new CallSender(this.#connection, keys, waitMs);
    this.ready = this.#connection.start({
      checkState: () => format.check(),
      onBack: () => {},
      onSubscriberLost: () => {},
      onResubscribed: () => {},
      onError: report,
    });
    this.ready.catch((error) => report(error as Error));
  }

  /**
   * Sends a notification to clients, like `RedisSessions.notify`: with the same
   * arguments, checks and recipients. `Sessions` describes it in full. What
   * the nodes keep for clients that reconnect (`streams.replay`) is in Redis when
   * the promise resolves.
   *
   * Notifications arrive in the order of the calls, whether you wait for them or
   * not; one is sent when the previous one was.
   *
   * @param notification The notification. `jsonrpc` is added if it is missing.
   * @param to Who gets it; everyone if omitted.
   * @throws {InvalidArgumentError} If the notification or `to` is invalid.
   * Nothing was sent. As a rejected promise.
   * @throws {ClusterError} If Redis is unavailable, or no node responds within
   * `timeoutMs`; the message says whether it may have been sent. As a rejected
   * promise.
   * @throws {ClosedError} If the notifier was closed. As a rejected promise.
   */
  async notify<Method extends string>(
    notification: ServerNotification<Method>,
    to?: NotifyTarget,
  ): Promise<void> {
    this.#assertOpen();
    const checked = checkNotification(notification);
    const target = checkNotifyTarget(to);
    const call = {
      kind: "notify",
      notification: checked.notification,
      to: target,
    } as const;
    const sent = this.#latest.then(() => this.#call(call));
    this.#latest = sent.catch(() => {});
    await this.#track(sent);
  }

  /**
   * Ends sessions on all nodes, like `RedisSessions.end`: their next request gets
   * 404 everywhere. `Sessions` describes it in full.
   *
   * @param target One session, or all those of a principal.
   * @returns How many were ended. Resolves when every node knows.
   * @throws {InvalidArgumentError} If the target is invalid. Nothing was ended.
   * As a rejected promise.
   * @throws {ClusterError} If Redis is unavailable, no node responds within
   * `timeoutMs`, or not all nodes could be informed. Call it again. As a rejected
   * promise.
   * @throws {ClosedError} If the notifier was closed. As a rejected promise.
   */
  async end(target: EndTarget): Promise<number> {
    this.#assertOpen();
    const ended = this.#call({ kind: "end", target: checkEndTarget(target) });
    return await this.#track(ended) ?? 0;
  }

  /**
   * Waits for the calls in progress, and stops using the client, which stays
   * open. Later calls are refused. Calling it again changes nothing.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([this.ready, ...this.#running]);
    this.#connection.close();
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #call(call: Call): Promise<number | undefined> {
    await this.ready;
    return await this.#sender.call(call);
  }

  /** Lets `close` wait for a call. */
  async #track<Result>(call: Promise<Result>): Promise<Result> {
    this.#running.add(call);
    try {
      return await call;
    } finally {
      this.#running.delete(call);
    }
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw new ClosedError("This RedisNotifier was closed. Create another one.");
  }
}
