import { assertKnownOptions, CLOSE_OPTIONS } from "./known_options.ts";
import { safeCallback } from "../runtime/callbacks.ts";
import type { HttpOptions } from "./http_options.ts";
import { formatValue } from "../format_value.ts";
import { InvalidArgumentError } from "../errors.ts";
import type {
  CloseOptions,
  InfoOptions,
  ReplayOptions,
  SessionsOptions,
  StreamOptions,
  SubscriptionOptions,
} from "./options.ts";

/** The options of a stream manager, complete. Infinity stands for `false`. */
export interface StreamSettings {
  readonly maxUnreadBytes: number;
  readonly maxUnreadMs: number;
  readonly keepAliveMs: number;
  readonly coalesce: boolean;
  readonly replay: ReplaySettings | undefined;
  readonly maxSessions: number;
}

/** The limits of a replay log. */
export type ReplaySettings = {
  readonly [Option in keyof ReplayOptions]-?: number;
};

/**
 * Validates the options of a stream manager and fills in the defaults.
 *
 * @param options The user's options.
 * @param group Their path in the user's options, for error messages.
 */
export function resolveStreamOptions(
  options: StreamOptions | undefined,
  group: string = "options",
): StreamSettings {
  const { backlog, keepAliveMs, coalesce, replay, maxSessions } = objectOption(
    group,
    options,
  );
  const at = (option: string) => nameOf(group, option);
  const unread = backlog === false
    ? { maxBytes: Infinity, maxAgeMs: Infinity }
    : objectOption(at("backlog"), backlog);
  return {
    maxUnreadBytes: positiveInteger(
      at("backlog.maxBytes"),
      unread.maxBytes,
      1_048_576,
    ),
    maxUnreadMs: durationMs(at("backlog.maxAgeMs"), unread.maxAgeMs, 30_000),
    keepAliveMs: keepAliveMs === false
      ? Infinity
      : durationMs(at("keepAliveMs"), keepAliveMs, 15_000),
    coalesce: booleanOption(at("coalesce"), coalesce, true),
    replay: resolveReplayOptions(replay, at("replay")),
    maxSessions: positiveInteger(at("maxSessions"), maxSessions, Infinity),
  };
}

function resolveReplayOptions(
  options: ReplayOptions | false | undefined,
  group: string,
): ReplaySettings | undefined {
  if (options === undefined || options === false) return undefined;
  const { maxEvents, maxBytes, maxAgeMs, maxShare } = objectOption(
    group,
    options,
  );
  return {
    maxEvents: positiveInteger(`${group}.maxEvents`, maxEvents, 10_000),
    maxBytes: positiveInteger(`${group}.maxBytes`, maxBytes, 16_777_216),
    maxAgeMs: durationMs(`${group}.maxAgeMs`, maxAgeMs, 300_000),
    maxShare: shareOption(`${group}.maxShare`, maxShare, 0.25),
  };
}

/** The options of an info manager, complete. */
export type InfoSettings = {
  readonly [Option in keyof InfoOptions]-?: number;
};

/**
 * Validates the options of an info manager and fills in the defaults.
 *
 * @param options The user's options.
 * @param group Their path in the user's options, for error messages.
 */
export function resolveInfoOptions(
  options: InfoOptions | undefined,
  group: string = "options",
): InfoSettings {
  const given = objectOption(group, options);
  const limit = (option: keyof InfoOptions, fallback: number) =>
    positiveInteger(nameOf(group, option), given[option], fallback);
  return {
    idleTimeoutMs: durationMs(
      nameOf(group, "idleTimeoutMs"),
      given.idleTimeoutMs,
      7_200_000,
    ),
    maxSessions: limit("maxSessions", Infinity),
    maxSessionsPerPrincipal: limit("maxSessionsPerPrincipal", 10_000),
    maxSubscriptionsPerSession: limit("maxSubscriptionsPerSession", 1_000),
    maxUriBytes: limit("maxUriBytes", 8_192),
    maxClientInfoBytes: limit("maxClientInfoBytes", 262_144),
    maxCapabilitiesBytes: limit("maxCapabilitiesBytes", 65_536),
    maxDataBytes: limit("maxDataBytes", 65_536),
  };
}

/** The options of a subscription manager, complete. */
export type SubscriptionSettings = {
  readonly [Option in keyof SubscriptionOptions]-?: number;
};

/**
 * Validates the options of a subscription manager and fills in the defaults.
 *
 * @param options The user's options.
 * @param group Their path in the user's options, for error messages.
 */
export function resolveSubscriptionOptions(
  options: SubscriptionOptions | undefined,
  group: string = "options",
): SubscriptionSettings {
  const given = objectOption(group, options);
  const timeout = (option: keyof SubscriptionOptions, fallback: number) =>
    timeoutMs(nameOf(group, option), given[option], fallback);
  const limit = (option: keyof SubscriptionOptions, fallback: number) =>
    positiveInteger(nameOf(group, option), given[option], fallback);
  return {
    closeTimeoutMs: timeout("closeTimeoutMs", 1_000),
    maxAgeMs: timeout("maxAgeMs", 30_000),
    maxPerOrigin: limit("maxPerOrigin", 1_000),
    maxUris: limit("maxUris", 1_000),
    maxUriBytes: limit("maxUriBytes", 8_192),
  };
}

/** The options of a guard, complete. */
export type HttpSettings = {
  readonly [Option in keyof HttpOptions]-?: number;
};

/** Validates the options of a guard and fills in the defaults. */
export function resolveHttpOptions(
  options: HttpOptions | undefined,
): HttpSettings {
  const given = objectOption("http", options);
  const limit = (option: keyof HttpOptions, fallback: number) =>
    positiveInteger(`http.${option}`, given[option], fallback);
  return {
    maxBodyBytes: limit("maxBodyBytes", 4_194_304),
    maxRequestsPerSession: limit("maxRequestsPerSession", 64),
    maxStreamsPerPrincipal: limit("maxStreamsPerPrincipal", 1_000),
    maxNewSessionsPerSecond: limit("maxNewSessionsPerSecond", 100),
    bodyTimeoutMs: timeoutMs("http.bodyTimeoutMs", given.bodyTimeoutMs, 60_000),
  };
}

/** Throws if an option of a `…Sessions` object is invalid. */
export function assertSessionsOptions(
  { streams, info, subscriptions, http, onBegin, onEnd, onRefuse }: Partial<
    SessionsOptions
  >,
): void {
  safeCallback("onBegin", onBegin);
  safeCallback("onEnd", onEnd);
  safeCallback("onRefuse", onRefuse);
  resolveHttpOptions(http);
  resolveStreamOptions(streams, "streams");
  resolveInfoOptions(info, "info");
  resolveSubscriptionOptions(subscriptions, "subscriptions");
}

/** Validates the options of `close` and fills in the defaults. */
export function resolveCloseOptions(
  options: CloseOptions | undefined,
): { drainMs: number; retryMs: number } {
  const { drainMs, retryMs } = objectOption("options", options);
  assertKnownOptions(options, CLOSE_OPTIONS);
  return {
    drainMs: drainMs === 0 ? 0 : timeoutMs("drainMs", drainMs, 0),
    retryMs: retryMs === 0
      ? 0
      : Math.ceil(timeoutMs("retryMs", retryMs, 1_000)),
  };
}

/** Validates that a group of options is an object, or undefined. */
export function objectOption<T extends object>(
  name: string,
  value: T | undefined,
): Partial<T> {
  if (value === undefined) return {};
  if (typeof value !== "object" || value === null) {
    throw new InvalidArgumentError(
      name,
      `"${name}" must be an object, but got ${formatValue(value)}.`,
    );
  }
  return value;
}

/** Options of a single manager are not in a group. */
function nameOf(group: string, option: string): string {
  return group === "options" ? option : `${group}.${option}`;
}

/** Validates a whole number of at least 1; Infinity means "no limit". */
function positiveInteger(
  name: string,
  value: number | undefined,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (value === Infinity || (Number.isSafeInteger(value) && value >= 1)) {
    return value;
  }
  throw new InvalidArgumentError(
    name,
    `"${name}" must be a whole number of at least 1, or Infinity for no ` +
      `limit, but got ${formatValue(value)}.`,
  );
}

/** The longest delay of `setTimeout`, in milliseconds: about 24.8 days. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Validates a number of milliseconds; Infinity means "never". */
function durationMs(
  name: string,
  value: number | undefined,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && value > 0) return value;
  throw new InvalidArgumentError(
    name,
    `"${name}" must be a number of milliseconds above 0, or Infinity, but ` +
      `got ${formatValue(value)}.`,
  );
}

/** Validates a part of a whole. */
function shareOption(
  name: string,
  value: number | undefined,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && value > 0 && value <= 1) return value;
  throw new InvalidArgumentError(
    name,
    `"${name}" must be a number above 0 and up to 1, but got ` +
      `${formatValue(value)}.`,
  );
}

function booleanOption(
  name: string,
  value: boolean | undefined,
  fallback: boolean,
): boolean {
  if (value === undefined) return fallback;
  if (typeof value === "boolean") return value;
  throw new InvalidArgumentError(
    name,
    `"${name}" must be true or false, but got ${formatValue(value)}.`,
  );
}

/** Validates a number of milliseconds that a timer can wait for. */
export function timeoutMs(
  name: string,
  value: number | undefined,
  fallback: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && value > 0 && value <= MAX_DELAY_MS) {
    return value;
  }
  throw new InvalidArgumentError(
    name,
    `"${name}" must be a number of milliseconds above 0 and up to ` +
      `${MAX_DELAY_MS}, but got ${formatValue(value)}.`,
  );
}
