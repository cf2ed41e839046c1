import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import type {
  ListOptions,
  Sessions,
  SessionSummary,
} from "../../../contracts/sessions.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { frame, TestClient } from "../../support/test_client.ts";
import { beginEach } from "./begin_end_cases.ts";

/** Lists sessions. */
export async function listed(
  sessions: Sessions,
  options?: ListOptions,
): Promise<SessionSummary[]> {
  const all: SessionSummary[] = [];
  for await (const summary of sessions.list(options)) all.push(summary);
  return all;
}

function idsOf(summaries: readonly { readonly id: string }[]): string[] {
  return summaries.map(({ id }) => id).sort();
}

/** More than a page. */
const MANY = 1_200;

/** `list`, on one node. */
export const listCases: readonly SessionsCase[] = [
  {
    behaviour: "O4",
    name: "a listed session has its principal, client, times and stream",
    run: async ({ create, within, waitUntil }) => {
      const sessions = await create({ streams: { replay: {} } });
      const before = Date.now();
      const busy = await TestClient.begin(sessions, { principal: "alice" });
      const idle = await TestClient.begin(sessions);
      await within(sessions.info.setLogLevel("unregistered", "info"), "it");
      await within(busy.listen(), "a stream");
      await within(busy.work(7), "a request");
      const large = frame("x".repeat(100_000));
      await within(
        Promise.resolve(sessions.streams.send([busy.id], large)),
        "a send",
      );
      await waitUntil(async () => {
        const alices = await listed(sessions, { principal: "alice" });
        const summary = alices.find(({ id }) => id === busy.id);
        return summary!.queuedBytes >= 100_000;
      }, "the unread bytes");
      const all = await within(listed(sessions), "the list");
      deepStrictEqual(idsOf(all), idsOf([busy, idle]));
      const summary = all.find(({ id }) => id === busy.id)!;
      strictEqual(summary.principal, "alice");
      strictEqual(summary.clientInfo?.name, "test client");
      strictEqual(summary.isStreaming, true);
      strictEqual(summary.openRequests, 1);
      // Clocks of machines may differ.
      ok(Math.abs(summary.startedAt.getTime() - before) < 60_000);
      ok(summary.lastUsedAt >= summary.startedAt);
      const other = all.find(({ id }) => id === idle.id)!;
      strictEqual(other.principal, undefined);
      strictEqual(other.isStreaming, false);
      strictEqual(other.queuedBytes, 0);
      strictEqual(other.openRequests, 0);
    },
  },
  {
    behaviour: "O2",
    name: "the sessions of a principal are listed, and no others",
    run: async ({ create, within }) => {
      const sessions = await create();
      const principals = ["alice", "bob", "alice", undefined, "", "alice2"];
      const clients = await beginEach(sessions, principals, within);
      const [a, b, c, , empty] = clients;
      const of = (principal: string) =>
        within(listed(sessions, { principal }), "a list");
      deepStrictEqual(idsOf(await of("alice")), idsOf([a!, c!]));
      deepStrictEqual(idsOf(await of("bob")), idsOf([b!]));
      deepStrictEqual(idsOf(await of("")), idsOf([empty!]));
      deepStrictEqual(await of("nobody"), []);
      const all = await within(listed(sessions), "the list");
      deepStrictEqual(idsOf(all), idsOf(clients));
      const limited = await within(listed(sessions, { limit: 4 }), "a list");
      strictEqual(new Set(idsOf(limited)).size, 4);
      await within(a!.end(), "a DELETE");
      deepStrictEqual(idsOf(await of("alice")), idsOf([c!]));
      for (
        const options of [
          { limit: 0 },
          { limit: 1.5 },
          { principal: 1 },
          { max: 1 },
          null,
        ]
      ) {
        throws(() => sessions.list(options as ListOptions), {
          code: "ERR_INVALID_ARGUMENT",
        });
      }
    },
  },
  {
    behaviour: "O4",
    name: "sessions that stay are listed once, while others come and go",
    run: async ({ create, within }) => {
      const sessions = await create();
      const staying: string[] = [];
      const leaving: TestClient[] = [];
      for (let started = 0; started < MANY; started += 100) {
        const clients = await within(
          Promise.all(
            Array.from({ length: 100 }, () => TestClient.begin(sessions)),
          ),
          "100 sessions",
        );
        leaving.push(...clients.splice(0, 20));
        staying.push(...clients.map(({ id }) => id));
      }
      const counts = new Map<string, number>();
      let seen = 0;
      for await (const { id } of sessions.list()) {
        counts.set(id, (counts.get(id) ?? 0) + 1);
        if (++seen % 50 > 0) continue;
        await within(leaving.pop()?.end() ?? 0, "a DELETE");
        await within(TestClient.begin(sessions), "a session");
        // Used ones, too, are listed once.
        const used = new TestClient(sessions, { id: staying[seen]! });
        strictEqual(await within(used.ping(), "a POST"), 200);
      }
      deepStrictEqual(
        staying.filter((id) => counts.get(id) !== 1),
        [],
        "Sessions that stayed were missed, or listed more than once",
      );
      strictEqual([...counts.values()].some((count) => count > 1), false);
    },
  },
];
