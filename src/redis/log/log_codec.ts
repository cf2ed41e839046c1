import { isSessionId } from "../../protocol/session_id.ts";
import { inChunks } from "../connection/chunks.ts";

/** An event as the log publishes it. */
export interface PublishedEvent {
  readonly offset: number;
  /** Whether it was in an earlier log already. */
  readonly isRepublished: boolean;
  /** The how-manieth of its sender it is. */
  readonly seq: number;
  readonly frame: string;
  /** The sessions of this node that it is for; `undefined` means everyone. */
  readonly ids: readonly string[] | undefined;
}

/** Events in a row on one channel. */
export interface PublishedBatch {
  readonly epoch: string;
  readonly sender: string;
  /** The event before them on that channel. */
  readonly before: number;
  readonly events: readonly PublishedEvent[];
  /** The node that it is for, where it is for one: a later one may have its name. */
  readonly nodeKeyId: string | undefined;
}

/** The events in a message; `undefined` for what has none. */
export function decodeBatch(text: string): PublishedBatch | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(message)) return undefined;
  const [epoch, sender, before, list, home] = message;
  const isMessage = typeof epoch === "string" && typeof sender === "string" &&
    Number.isSafeInteger(Number(before)) && Array.isArray(list) &&
    list.length > 0 && (home === undefined || typeof home === "string");
  if (!isMessage) return undefined;
  const events: PublishedEvent[] = [];
  for (const event of list) {
    if (!Array.isArray(event)) return undefined;
    const [offset, mark, number, frame, ids] = event;
    const isEvent = Number.isSafeInteger(Number(offset)) &&
      typeof mark === "string" && Number.isSafeInteger(number) &&
      typeof frame === "string" && Array.isArray(ids) === (home !== undefined);
    if (!isEvent) return undefined;
    const isRepeated = mark !== "";
    events.push({
      offset: Number(offset),
      isRepublished: isRepeated,
      seq: number,
      frame,
      ids,
    });
  }
  return { epoch, sender, before: Number(before), events, nodeKeyId: home };
}

/** An event as the log keeps it: places, sessions, frames and origins in a row. */
export function decodeEntry(
  [offset, targets, data, origin]: readonly string[],
): PublishedEvent & { readonly sender: string } {
  const space = origin!.indexOf(" ");
  const isRepeated = origin!.startsWith("r");
  return {
    offset: Number(offset),
    isRepublished: isRepeated,
    seq: Number(origin!.slice(isRepeated ? 1 : 0, space)),
    sender: origin!.slice(space + 1),
    frame: JSON.parse(data!),
    ids: targets === "" ? undefined : JSON.parse(targets!),
  };
}

const EVENT_ID = /^([0-9a-f]{16})-(0|[1-9][0-9]{0,31})$/;

/** A place in a log. */
export interface EventPosition {
  readonly epoch: string;
  readonly offset: string;
}

/** The place that an id of an event names; `undefined` for what is none. */
export function parseEventId(
  position: string | undefined,
): EventPosition | undefined {
  const [, epoch, offset] = EVENT_ID.exec(position ?? "") ?? [];
  return epoch && offset ? { epoch, offset } : undefined;
}

/** An event that is to be added. */
export interface NewEvent {
  readonly seq: number;
  readonly ids: readonly string[] | undefined;
  readonly frame: string;
  /** The frame as JSON. */
  readonly data: string;
  /** Whether it was added before, to a log that is lost. */
  readonly isRepublished?: boolean | undefined;
}

/** An event that is to be added. */
export function newEvent(
  number: number,
  ids: readonly string[] | undefined,
  frame: string,
): NewEvent {
  return { seq: number, ids, frame, data: JSON.stringify(frame) };
}

/** The sessions in a list, at most so many at once. What cannot be one is left out. */
export function chunkRecipients(
  audience: readonly string[],
  most: number,
): readonly string[][] {
  const ids = audience.filter((id) =>
    typeof id === "string" && isSessionId(id)
  );
  return inChunks(ids, most);
}

/** About how much an event takes, in characters. */
export function estimateSize({ ids, data }: NewEvent): number {
  return data.length + 64 + (ids?.length ?? 0) * 40;
}

/** An event as arguments of the script that adds it. */
export function encodeArguments(
  { ids, data, isRepublished }: NewEvent,
): string[] {
  const mark = isRepublished ? "r" : "";
  return ids === undefined
    ? [data, mark, "-1"]
    : [data, mark, String(ids.length), ...ids];
}
