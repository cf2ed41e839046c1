import type { MissedEvents } from "../delivery/transferable_replay_log.ts";
import {
  isMessageId,
  type MessageTarget,
} from "../../requests/message_target.ts";
import type { Activity } from "./rpc_protocol.ts";
import type { Timestamp } from "../membership/hybrid_clock.ts";

/** Validates the fields of each kind of message. */
const CHECKS: Readonly<
  Record<string, (message: Readonly<Record<string, unknown>>) => boolean>
> = {
  send: ({ sessions, transport, data, seq, hops }) =>
    typeof data === "string" && isOptional(sessions, areStrings) &&
    isOptional(transport, (name) => typeof name === "string") &&
    isOptional(seq, isNumber) && isOptional(hops, isNumber),
  broadcastSeq: ({ seq }) => isNumber(seq),
  owners: ({ owners }) =>
    areAll(
      owners,
      (owner) =>
        Array.isArray(owner) && typeof owner[0] === "string" &&
        isTimestamp(owner[1]),
    ),
  released: ({ id, at }) => typeof id === "string" && isTimestamp(at),
  metadata: ({ id, fields, deleted, age, reason }) =>
    typeof id === "string" && areAll(fields, isFieldWrite) &&
    isOptional(deleted, isTimestamp) && isOptional(age, isNumber) &&
    isOptional(reason, isString),
  requestDiff: ({ digests }) => areAll(digests, isNumber),
  used: ({ ages }) => areAges(ages),
  hosted: ({ id }) => typeof id === "string",
  notification: ({ text }) => typeof text === "string",
  reserved: ({ subscriptions }) => areAll(subscriptions, isSubscriptionId),
  unreserved: ({ id, origin }) => isSubscriptionId([id, origin]),
  request: ({ id, request }) =>
    isNumber(id) && isObject(request) && typeof request.kind === "string",
  response: ({ id }) => isNumber(id),
  forwardCall: ({ id, call, credit }) =>
    isNumber(id) && isNumber(credit) && isForwardedCall(call),
  forwardStart: ({ id }) => isNumber(id),
  forwardHead: ({ id, status, headers }) =>
    isNumber(id) && isOptional(status, isNumber) &&
    isOptional(headers, areHeaders),
  forwardData: ({ id, text }) => isNumber(id) && typeof text === "string",
  forwardEnd: ({ id }) => isNumber(id),
  forwardCredit: ({ id, credit }) => isNumber(id) && isNumber(credit),
  forwardCancel: ({ id }) => isNumber(id),
  lost: ({ sessions, seq }) =>
    isOptional(sessions, areStrings) && isOptional(seq, isNumber),
  syncDone: ({ nodes, digests }) => areStrings(nodes) && isObject(digests),
};

/**
 * Returns whether a value is a message. An unknown kind may have any fields.
 */
export function isClusterMessage(message: unknown): boolean {
  if (!isObject(message) || typeof message.kind !== "string") return false;
  if (!isOptional(message.only, (only) => typeof only === "string")) {
    return false;
  }
  return !Object.hasOwn(CHECKS, message.kind) || CHECKS[message.kind]!(message);
}

/** Returns whether a value is a valid {@linkcode MissedEvents}. */
export function isMissedEvents(value: unknown): value is MissedEvents {
  return isObject(value) && areStrings(value.frames) &&
    isObject(value.versionVector) &&
    Object.values(value.versionVector).every(isNumber);
}

/** Returns whether a value is a valid {@linkcode FieldWrite}. */
export function isFieldWrite(write: unknown): boolean {
  if (!Array.isArray(write)) return false;
  const [field, value, at] = write;
  return typeof field === "string" &&
    (value === null || typeof value === "string") && isTimestamp(at);
}

/** Returns whether a value is a valid response to `lastUsed`. */
export function areAges(
  value: unknown,
): value is readonly (readonly [id: string, ms: number])[] {
  return areAll(
    value,
    (age) =>
      Array.isArray(age) && typeof age[0] === "string" && isNumber(age[1]),
  );
}

/** Returns whether a value is a valid response to `activity`. */
export function areActivities(value: unknown): value is readonly Activity[] {
  return areAll(value, (activity) => {
    if (!Array.isArray(activity)) return false;
    const [id, queuedBytes, openRequests, age] = activity;
    return typeof id === "string" && isNumber(openRequests) &&
      [queuedBytes, age].every((value) => value === null || isNumber(value));
  });
}

function isForwardedCall(call: unknown): boolean {
  if (!isObject(call) || typeof call.session !== "string") return false;
  switch (call.purpose) {
    case "deliver":
      return isTarget(call.target) && areHeaders(call.headers) &&
        areStrings([call.url, call.body]);
    case "resume":
      return typeof call.lastEventId === "string";
    case "host":
      return areHeaders(call.headers) && areStrings([call.url, call.method]) &&
        isOptional(call.body, isString) && isOptional(call.principal, isString);
    default:
      return false;
  }
}

/** Returns whether a value is a valid {@linkcode MessageTarget}. */
export function isTarget(value: unknown): value is MessageTarget {
  return isObject(value) && typeof value.kind === "string" &&
    isMessageId(value.id);
}

function isSubscriptionId(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [id, origin] = value;
  return isMessageId(id) && typeof origin === "string";
}

function areHeaders(headers: unknown): boolean {
  return areAll(headers, (header) => areStrings(header));
}

function isTimestamp(timestamp: unknown): timestamp is Timestamp {
  return Array.isArray(timestamp) && isNumber(timestamp[0]) &&
    typeof timestamp[1] === "string";
}

function isObject(
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isString(value: unknown): boolean {
  return typeof value === "string";
}

function isNumber(value: unknown): boolean {
  return Number.isFinite(value);
}

function areStrings(value: unknown): boolean {
  return areAll(value, (message) => typeof message === "string");
}

function areAll(value: unknown, is: (message: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}

function isOptional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value);
}
