import { isSessionId } from "../session_id.ts";

/** An event as the log publishes it. */
export interface PublishedEvent {
  readonly offset: number;
  /** The how-manieth of its sender it is. */
  readonly number: number;
  readonly frame: string;
  /** The sessions of this node that it is for; `undefined` means everyone. */
  readonly ids: readonly string[] | undefined;
}

/** Events in a row on one channel. */
export interface PublishedEvents {
  readonly epoch: string;
  readonly sender: string;
  /** The event before them on that channel. */
  readonly before: number;
  readonly events: readonly PublishedEvent[];
}

/** The events in a message; `undefined` for what has none. */
export function readEvents(text: string): PublishedEvents | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(message)) return undefined;
  const [epoch, sender, before, list] = message;
  const isMessage = typeof epoch === "string" && typeof sender === "string" &&
    Number.isSafeInteger(Number(before)) && Array.isArray(list) &&
    list.length > 0;
  if (!isMessage) return undefined;
  const events: PublishedEvent[] = [];
  for (const event of list) {
    if (!Array.isArray(event)) return undefined;
    const [offset, number, frame, ids] = event;
    const isEvent = Number.isSafeInteger(Number(offset)) &&
      Number.isSafeInteger(number) && typeof frame === "string" &&
      (ids === undefined || Array.isArray(ids));
    if (!isEvent) return undefined;
    events.push({ offset: Number(offset), number, frame, ids });
  }
  return { epoch, sender, before: Number(before), events };
}

const POSITION = /^([0-9a-f]{16})-(0|[1-9][0-9]{0,31})$/;

/** A place in a log. */
export interface Place {
  readonly epoch: string;
  readonly offset: string;
}

/** The place that an id of an event names; `undefined` for what is none. */
export function placeOf(position: string | undefined): Place | undefined {
  const [, epoch, offset] = POSITION.exec(position ?? "") ?? [];
  return epoch && offset ? { epoch, offset } : undefined;
}

/** An event that is to be added. */
export interface NewEvent {
  readonly number: number;
  readonly ids: readonly string[] | undefined;
  readonly frame: string;
  /** The frame as JSON. */
  readonly data: string;
  /** Whether it was added before, to a log that is lost. */
  readonly isRepeated?: boolean | undefined;
}

/** An event that is to be added; ids that cannot be sessions are left out. */
export function newEvent(
  number: number,
  audience: readonly string[] | undefined,
  frame: string,
): NewEvent {
  const isId = (id: unknown) => typeof id === "string" && isSessionId(id);
  const data = JSON.stringify(frame);
  return { number, ids: audience?.filter(isId), frame, data };
}

/** About how much an event takes, in characters. */
export function sizeOf({ ids, data }: NewEvent): number {
  return data.length + 64 + (ids?.length ?? 0) * 40;
}

/** An event as arguments of the script that adds it. */
export function argumentsOf(
  { ids, data, isRepeated }: NewEvent,
): string[] {
  const mark = isRepeated ? "r" : "";
  return ids === undefined
    ? [data, mark, "-1"]
    : [data, mark, String(ids.length), ...ids];
}
