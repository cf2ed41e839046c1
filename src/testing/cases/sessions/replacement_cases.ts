import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Sessions } from "../../../contracts/sessions.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import {
  frame,
  TestClient,
  type TestEvents,
} from "../../support/test_client.ts";

/** Streams of one session that replace each other. */
export const sessionsReplacementCases: readonly SessionsCase[] = [
  {
    behaviour: "H15",
    name: "streams that keep replacing each other start with a growing retry",
    run: async ({ create, within }) => {
      const reports: Error[] = [];
      const sessions = await create({
        onError: (error) => reports.push(error),
      });
      const client = await TestClient.begin(sessions);
      const other = await TestClient.begin(sessions);
      const otherStream = await within(other.listen(), "another stream");
      const delays: number[] = [];
      for (let count = 0; count < 16; count++) {
        // Nobody cancels: each stream replaces the one before.
        const stream = await within(client.listen(), "a stream");
        delays.push(await within(retryOf(sessions, client, stream), "retry"));
      }
      deepStrictEqual(delays.slice(0, 3), [0, 0, 0], "It is slowed too early");
      deepStrictEqual(delays, delays.toSorted((one, next) => one - next));
      const [first = 0] = delays.filter((delay) => delay > 0);
      ok(first > 0, "It is not slowed");
      ok(delays.at(-1)! >= 4 * first, `The delay does not grow: ${delays}`);
      strictEqual(reports.length, 1, "It is not reported once");
      strictEqual((reports[0] as { sessionId?: string }).sessionId, client.id);
      const delay = await within(retryOf(sessions, other, otherStream), "it");
      strictEqual(delay, 0, "Another session is slowed");
    },
  },
  {
    behaviour: "H15",
    name: "a client that reconnects is not slowed",
    run: async ({ create, within }) => {
      const reports: Error[] = [];
      const sessions = await create({
        onError: (error) => reports.push(error),
      });
      const client = await TestClient.begin(sessions);
      // Its disconnects are noticed, except for the last one.
      for (let count = 0; count < 20; count++) {
        const stream = await within(client.listen(), "a stream");
        const delay = await within(retryOf(sessions, client, stream), "it");
        strictEqual(delay, 0, `It is slowed after ${count} disconnects`);
        await within(stream.cancel(), "a disconnect");
      }
      await within(client.listen(), "a stream");
      const again = await within(client.listen(), "a stream");
      strictEqual(await within(retryOf(sessions, client, again), "it"), 0);
      strictEqual(reports.length, 0);
    },
  },
];

/** Returns the delay that a stream tells its client, in milliseconds. */
async function retryOf(
  sessions: Sessions,
  { id }: TestClient,
  stream: TestEvents,
): Promise<number> {
  await sessions.streams.send([id], frame("anything"));
  await stream.take();
  return stream.retry ?? 0;
}
