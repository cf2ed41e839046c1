import type { MissedEvents } from "../../replay/replay_log.ts";
import type { Timestamp } from "../membership/hybrid_clock.ts";

/** What checks the fields of each kind of items. */
const CHECKS: Readonly<
  Record<string, (item: Readonly<Record<string, unknown>>) => boolean>
> = {
  send: ({ sessions, data, seq, hops }) =>
    typeof data === "string" && isOptional(sessions, areStrings) &&
    isOptional(seq, isNumber) && isOptional(hops, isNumber),
  broadcastSeq: ({ seq }) => isNumber(seq),
  owners: ({ owners }) =>
    areAll(
      owners,
      (home) =>
        Array.isArray(home) && typeof home[0] === "string" &&
        isTimestamp(home[1]),
    ),
  released: ({ id, at }) => typeof id === "string" && isTimestamp(at),
  metadata: ({ id, fields, deleted, age }) =>
    typeof id === "string" && areAll(fields, isFieldWrite) &&
    isOptional(deleted, isTimestamp) && isOptional(age, isNumber),
  requestDiff: ({ digests }) => areAll(digests, isNumber),
  notification: ({ text }) => typeof text === "string",
  request: ({ id, request }) =>
    isNumber(id) && isObject(request) && typeof request.kind === "string",
  response: ({ id }) => isNumber(id),
  syncDone: ({ nodes }) => areStrings(nodes),
};

/** Whether something is an item: one of an unknown kind may be anything besides. */
export function isClusterMessage(item: unknown): boolean {
  if (!isObject(item) || typeof item.kind !== "string") return false;
  if (!isOptional(item.only, (only) => typeof only === "string")) return false;
  return !Object.hasOwn(CHECKS, item.kind) || CHECKS[item.kind]!(item);
}

/** Whether something is what a session has missed. */
export function isMissedEvents(value: unknown): value is MissedEvents {
  return isObject(value) && areStrings(value.frames) &&
    isObject(value.versionVector) &&
    Object.values(value.versionVector).every(isNumber);
}

/** Whether something is a field, its value, and who wrote it when. */
export function isFieldWrite(write: unknown): boolean {
  if (!Array.isArray(write)) return false;
  const [field, value, at] = write;
  return typeof field === "string" &&
    (value === null || typeof value === "string") && isTimestamp(at);
}

/** Whether something says how many milliseconds ago sessions were used. */
export function areAges(
  value: unknown,
): value is readonly (readonly [id: string, ms: number])[] {
  return areAll(
    value,
    (age) =>
      Array.isArray(age) && typeof age[0] === "string" && isNumber(age[1]),
  );
}

function isTimestamp(stamp: unknown): stamp is Timestamp {
  return Array.isArray(stamp) && isNumber(stamp[0]) &&
    typeof stamp[1] === "string";
}

function isObject(
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isNumber(value: unknown): boolean {
  return Number.isFinite(value);
}

function areStrings(value: unknown): boolean {
  return areAll(value, (item) => typeof item === "string");
}

function areAll(value: unknown, is: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is);
}

function isOptional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value);
}
