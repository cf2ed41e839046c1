import type { SdkEventStore } from "@crossmcp/session-manager/sdk";
import { assertEquals } from "@std/assert";

/** The stream that both versions of the SDK use for GET requests. */
export const STANDALONE = "_GET_stream";

/** A notification with a number. */
export function note(number: number): object {
  return {
    jsonrpc: "2.0",
    method: "notifications/message",
    params: { level: "info", data: number },
  };
}

/** Stores numbered notifications; returns the IDs of their events. */
export async function fill(
  store: SdkEventStore,
  streamId: string,
  numbers: readonly number[],
): Promise<string[]> {
  const ids: string[] = [];
  for (const number of numbers) {
    ids.push(await store.storeEvent(streamId, note(number)));
  }
  return ids;
}

/** What is replayed after an event. */
export interface Replayed {
  readonly streamId: string;
  readonly ids: readonly string[];
  readonly numbers: readonly number[];
}

/** Replays what follows an event. */
export async function replay(
  store: SdkEventStore,
  lastEventId: string,
): Promise<Replayed> {
  const ids: string[] = [];
  const numbers: number[] = [];
  const streamId = await store.replayEventsAfter(lastEventId, {
    send: (id, message) => {
      ids.push(id);
      numbers.push(message.params.data);
      return Promise.resolve();
    },
  });
  return { streamId, ids, numbers };
}

/** Whole numbers from one to another. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Asserts what is replayed after an event. */
export async function assertReplays(
  store: SdkEventStore,
  lastEventId: string,
  streamId: string,
  numbers: readonly number[],
): Promise<void> {
  const replayed = await replay(store, lastEventId);
  assertEquals([replayed.streamId, replayed.numbers], [streamId, numbers]);
}
