// Prints the bytes of heap that an idle session takes in addition to its
// stream, and those of its registration with the guard. Run by streams_test.ts.
import { InMemorySessions } from "@crossmcp/session-manager";
import { heapUsed } from "./heap.ts";
import { sessionRegistryOf } from "../../src/metadata/stored_info_session_manager.ts";

/** Bytes of heap. */
export interface IdleCosts {
  /** A stream without a manager. */
  readonly bytesPerStream: number;
  /** A stream's attachment to a session. */
  readonly bytesPerSession: number;
  /** The registration of the session with the guard. */
  readonly bytesPerRegistration: number;
}

const SESSIONS = 100_000;

// Structures that exist once are not counted.
await weighAll(1_000);
console.log(JSON.stringify(await weighAll(SESSIONS)));

async function weighAll(count: number): Promise<IdleCosts> {
  // Flat strings, like those parsed from requests.
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
  // Keeps them alive until here.
  if (held.length !== sessions.stats().attached) {
    throw new Error("Some streams are no longer attached.");
  }
  return {
    bytesPerStream: (bare - before) / count,
    bytesPerSession: (attached - bare) / count,
    bytesPerRegistration: (registered - attached) / count,
  };
}
