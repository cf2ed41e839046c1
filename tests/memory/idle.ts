// Prints how many bytes of heap a session takes that does nothing, in addition to
// its stream, and how many it takes that a guard knows it. Run by streams_test.ts.
import { InMemorySessions } from "@crossmcp/session-manager";
import { heapUsed } from "./heap.ts";
import { sessionRegistryOf } from "../../src/metadata/stored_info_session_manager.ts";

/** Bytes of heap. */
export interface IdleCosts {
  /** A stream that nobody manages. */
  readonly bytesPerStream: number;
  /** That it is attached to a session. */
  readonly bytesPerSession: number;
  /** That a guard knows the session. */
  readonly bytesPerRegistration: number;
}

const SESSIONS = 100_000;

// What is set up once is not to be counted.
await weighAll(1_000);
console.log(JSON.stringify(await weighAll(SESSIONS)));

async function weighAll(count: number): Promise<IdleCosts> {
  // In one piece each, like those that come out of requests.
  const ids: string[] = JSON.parse(
    JSON.stringify(Array.from({ length: count }, () => crypto.randomUUID())),
  );
  const before = await heapUsed();
  const controllers: ReadableStreamDefaultController[] = [];
  const held = ids.map(() =>
    new ReadableStream({
      start: (controller) => void controllers.push(controller),
      cancel: () => {},
    })
  );
  const bare = await heapUsed();
  await using sessions = new InMemorySessions();
  for (const [index, controller] of controllers.entries()) {
    sessions.streams.create(ids[index]!, controller);
  }
  const attached = await heapUsed();
  for (const id of ids) {
    sessionRegistryOf(sessions.info).register(id, {
      principal: undefined,
      startEventId: undefined,
    });
  }
  const registered = await heapUsed();
  // They were there until now.
  if (held.length !== sessions.stats().attached) throw new Error("Some left.");
  return {
    bytesPerStream: (bare - before) / count,
    bytesPerSession: (attached - bare) / count,
    bytesPerRegistration: (registered - attached) / count,
  };
}
