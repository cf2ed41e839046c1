// Prints how many bytes of heap a session takes that does nothing, in addition to
// its stream, and how many it takes that a guard knows it. Run by streams_test.ts.
import { InMemorySessions } from "@crossmcp/session-manager";
import { heapUsed } from "./heap.ts";

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
  await using sessions = new InMemorySessions();
  const [bare] = await weigh(() => streams(ids, () => {}));
  const [session, held] = await weigh(() =>
    streams(ids, (id, controller) => sessions.streams.create(id, controller))
  );
  const [registration] = await weigh(() => {
    for (const id of ids) {
      sessions.info.register(id, { principal: undefined, since: undefined });
    }
  });
  // They were there until now.
  if (held.length !== sessions.stats().attached) throw new Error("Some left.");
  return {
    bytesPerStream: bare / count,
    bytesPerSession: (session - bare) / count,
    bytesPerRegistration: registration / count,
  };
}

function streams(
  ids: readonly string[],
  add: (id: string, controller: ReadableStreamDefaultController) => void,
): ReadableStream[] {
  return ids.map((id) =>
    new ReadableStream({
      start: (controller) => add(id, controller),
      cancel: () => {},
    })
  );
}

/** What something takes in bytes of heap, as long as its result is held. */
async function weigh<Result>(
  make: () => Result,
): Promise<[bytes: number, result: Result]> {
  const before = await heapUsed();
  const result = make();
  return [await heapUsed() - before, result];
}
