import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { SessionsOptions } from "../../../contracts/options.ts";
import type { Sessions } from "../../../contracts/sessions.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import type { Context } from "../../suites/suite.ts";
import { assertThrowsOrRejects } from "../../support/assertions.ts";
import { TestClient } from "../../support/test_client.ts";

/** Records the calls of `onBegin` and `onEnd`. */
export class RecordedCalls {
  /** The calls, oldest first: `begin`, ID and principal; `end`, ID and reason. */
  readonly calls: string[] = [];
  /** The options that record them. */
  readonly options: SessionsOptions = {
    onBegin: (id, principal) => this.calls.push(`begin ${id} ${principal}`),
    onEnd: (id, reason) => this.calls.push(`end ${id} ${reason}`),
  };
}

/** Begins sessions of principals, one by one; returns their clients. */
export async function beginEach(
  sessions: Sessions,
  principals: readonly (string | undefined)[],
  within: Context<Sessions, unknown>["within"],
): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  for (const principal of principals) {
    const begun = TestClient.begin(sessions, { principal });
    clients.push(await within(begun, "a session"));
  }
  return clients;
}

/** `onBegin` and `onEnd`, on one node. */
export const beginEndCases: readonly SessionsCase[] = [
  {
    behaviour: "O5",
    name: "each session that begins or is deleted is reported once",
    run: async ({ create, within }) => {
      const { calls, options } = new RecordedCalls();
      const sessions = await create(options);
      const a = await TestClient.begin(sessions, { principal: "alice" });
      const b = await TestClient.begin(sessions);
      deepStrictEqual(calls.splice(0), [
        `begin ${a.id} alice`,
        `begin ${b.id} undefined`,
      ]);
      // Neither use nor metadata begins or ends a session.
      strictEqual(await within(a.ping(), "a POST"), 200);
      const stream = await within(a.listen(), "a stream");
      await within(stream.cancel(), "the end of the stream");
      await within(sessions.info.setLogLevel("other", "info"), "a write");
      await within(sessions.info.delete("other"), "a deletion");
      await within(sessions.info.delete("unknown"), "a deletion");
      const thief = new TestClient(sessions, { id: a.id, principal: "bob" });
      strictEqual(await within(thief.end(), "a DELETE"), 404);
      deepStrictEqual(calls.splice(0), []);
      strictEqual(await within(a.end(), "a DELETE"), 200);
      strictEqual(await within(a.end(), "another DELETE"), 404);
      await within(sessions.info.delete(b.id), "a deletion");
      await within(sessions.info.delete(b.id), "another deletion");
      deepStrictEqual(calls, [`end ${a.id} deleted`, `end ${b.id} deleted`]);
    },
  },
  {
    behaviour: "O5",
    name: "a session that expired is reported once",
    run: async ({ create, within, waitUntil }) => {
      const { calls, options } = new RecordedCalls();
      const sessions = await create({
        ...options,
        info: { idleTimeoutMs: 100 },
      });
      const { id } = await within(TestClient.begin(sessions), "a session");
      await within(sessions.info.setLogLevel("other", "info"), "a write");
      const end = `end ${id} expired`;
      await waitUntil(() => calls.includes(end), "the session to expire");
      await waitUntil(
        () => sessions.stats().expired === 2,
        "the metadata to expire",
      );
      await within(sessions.info.delete(id), "a deletion");
      deepStrictEqual(calls, [`begin ${id} undefined`, end]);
      const stats = sessions.stats();
      strictEqual(stats.sessions, 0);
      deepStrictEqual(stats.ended, {
        deleted: 0,
        ended: 0,
        expired: 1,
      });
    },
  },
  {
    behaviour: "O5",
    name: "a callback that fails is reported, and affects nothing else",
    run: async ({ create, within, waitUntil }) => {
      const errors: Error[] = [];
      const sessions = await create({
        onBegin: () => {
          throw new Error("begin");
        },
        // A callback may be an async function.
        onEnd: () => Promise.reject(new Error("end")) as unknown as void,
        onError: (error) => errors.push(error),
      });
      const client = await within(TestClient.begin(sessions), "a session");
      strictEqual(await within(client.ping(), "a POST"), 200);
      strictEqual(await within(client.end(), "a DELETE"), 200);
      strictEqual(await within(client.ping(), "a POST"), 404);
      await waitUntil(() => errors.length >= 2, "the errors");
      deepStrictEqual(errors.map(({ message }) => message), ["begin", "end"]);
    },
  },
  {
    behaviour: "O5",
    name: "a callback that is not a function is refused",
    run: async ({ create }) => {
      for (const name of ["onBegin", "onEnd"]) {
        await assertThrowsOrRejects(
          () => create({ [name]: "log" }),
          "InvalidArgumentError",
          `A string as ${name}`,
        );
      }
    },
  },
];
