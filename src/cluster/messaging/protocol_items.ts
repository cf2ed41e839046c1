import type { MissedEvents } from "../../replay/replay_log.ts";
import type { Stamp } from "../membership/hybrid_clock.ts";

/** What checks the fields of each kind of items. */
const CHECKS: Readonly<
  Record<string, (item: Readonly<Record<string, unknown>>) => boolean>
> = {
  send: ({ sessions, data, count, hops }) =>
    typeof data === "string" && isOptional(sessions, areStrings) &&
    isOptional(count, isNumber) && isOptional(hops, isNumber),
  count: ({ count }) => isNumber(count),
  homes: ({ homes }) =>
    areAll(
      homes,
      (home) =>
        Array.isArray(home) && typeof home[0] === "string" && isStamp(home[1]),
    ),
  left: ({ id, at }) => typeof id === "string" && isStamp(at),
  record: ({ id, fields, deleted, age }) =>
    typeof id === "string" && areAll(fields, isFieldWrite) &&
    isOptional(deleted, isStamp) && isOptional(age, isNumber),
  compare: ({ sums }) => areAll(sums, isNumber),
  notify: ({ text }) => typeof text === "string",
  question: ({ id, ask }) =>
    isNumber(id) && isObject(ask) && typeof ask.kind === "string",
  answer: ({ id }) => isNumber(id),
  welcome: ({ nodes }) => areStrings(nodes),
};

/** Whether something is an item: one of an unknown kind may be anything besides. */
export function isItem(item: unknown): boolean {
  if (!isObject(item) || typeof item.kind !== "string") return false;
  if (!isOptional(item.only, (only) => typeof only === "string")) return false;
  return !Object.hasOwn(CHECKS, item.kind) || CHECKS[item.kind]!(item);
}

/** Whether something is what a session has missed. */
export function isMissedEvents(value: unknown): value is MissedEvents {
  return isObject(value) && areStrings(value.frames) && isObject(value.heard) &&
    Object.values(value.heard).every(isNumber);
}

/** Whether something is a field, its value, and who wrote it when. */
export function isFieldWrite(write: unknown): boolean {
  if (!Array.isArray(write)) return false;
  const [field, value, at] = write;
  return typeof field === "string" &&
    (value === null || typeof value === "string") && isStamp(at);
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

function isStamp(stamp: unknown): stamp is Stamp {
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
