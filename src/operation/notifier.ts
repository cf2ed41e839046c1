import { assertKnownOptions } from "../contracts/known_options.ts";
import { objectOption } from "../contracts/resolve_options.ts";
import type { NotifyTarget, TransportSessions } from "../contracts/sessions.ts";
import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";
import {
  type CheckedNotification,
  checkNotification,
} from "../protocol/notifications.ts";
import { LISTENABLE, LISTENABLE_METHODS } from "../protocol/listenable.ts";
import { formatSseEvent } from "../protocol/sse.ts";
import { assertOneOf } from "./assert_one_of.ts";
import { assertString } from "../runtime/assert_string.ts";

/** The managers of the sessions. Subclasses may replace them. */
export interface NotifiedManagers
  extends Pick<TransportSessions, "streams" | "subscriptions"> {
  readonly info: StoredInfoSessionManager;
}

/** Sends notifications to the clients of sessions, of both eras. */
export class Notifier {
  readonly #managers: NotifiedManagers;
  /** The last notification whose recipients are being looked up. */
  #pending: Promise<void> | undefined;

  /** @param managers The managers of the sessions. */
  constructor(managers: NotifiedManagers) {
    this.#managers = managers;
  }

  /** See `Sessions.notify`. */
  async notify(value: unknown, to?: NotifyTarget): Promise<void> {
    const checked = checkNotification(value);
    const target = checkNotifyTarget(to);
    const isLookup = target !== undefined
      ? "principal" in target
      : checked.notification.method === LISTENABLE.resource;
    const previous = this.#pending;
    if (!isLookup && previous === undefined) return this.#send(checked, target);
    // Notifications arrive in the order of the calls, also if looking up the
    // recipients takes a while.
    const sent = (previous ?? Promise.resolve()).then(() =>
      this.#send(checked, target)
    );
    const pending = sent.catch(() => {}).then(() => {
      if (this.#pending === pending) this.#pending = undefined;
    });
    this.#pending = pending;
    await sent;
  }

  async #send(
    { notification, text }: CheckedNotification,
    target: NotifyTarget | undefined,
  ): Promise<void> {
    const { streams, subscriptions, info } = this.#managers;
    const frame = formatSseEvent({ event: "message", data: text });
    if (target !== undefined && "sessions" in target) {
      await streams.send([...target.sessions], frame);
    } else if (target !== undefined) {
      const pages = sessionRegistryOf(info).pages(target.principal);
      for await (const ids of pages) await streams.send([...ids], frame);
    } else {
      const isListenable = LISTENABLE_METHODS.includes(notification.method);
      await Promise.all([
        this.#sendToSessions(notification, frame),
        isListenable && subscriptions.send(notification),
      ]);
    }
  }

  /** Sends to all sessions, or to those that subscribed to the resource. */
  async #sendToSessions(
    { method, params }: CheckedNotification["notification"],
    frame: string,
  ): Promise<void> {
    const { streams, info } = this.#managers;
    const ids = method === LISTENABLE.resource
      ? await info.getSubscriptions(params.uri)
      : undefined;
    await streams.send(ids, frame);
  }
}

/**
 * Checks and copies a target.
 *
 * @throws {InvalidArgumentError} If it names neither sessions nor a principal, or
 * both.
 */
export function checkNotifyTarget(
  to: NotifyTarget | undefined,
): NotifyTarget | undefined {
  if (to === undefined) return undefined;
  const given = objectOption("to", to) as {
    readonly sessions?: unknown;
    readonly principal?: unknown;
  };
  assertKnownOptions(given, { sessions: true, principal: true });
  assertOneOf(
    "to",
    given,
    ["sessions", "principal"],
    "To send to everyone, omit it.",
  );
  const { sessions, principal } = given;
  if (sessions === undefined) {
    assertString("to.principal", principal);
    return { principal };
  }
  if (!Array.isArray(sessions) || !sessions.every(isString)) {
    throw new InvalidArgumentError(
      "to.sessions",
      `"to.sessions" must be an array of session IDs, but got ` +
        `${formatValue(sessions)}.`,
    );
  }
  return { sessions: [...sessions] };
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}
