import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Sessions } from "../../../contracts/sessions.ts";
import type { SessionsStats } from "../../../contracts/stats.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { TestSubscriber } from "../../support/test_subscriber.ts";
import { beginEach } from "./begin_end_cases.ts";

type Begun = Pick<SessionsStats, "sessions" | "begun" | "ended">;

/** Returns the counters of sessions that began through the guard. */
function begunOf({ stats }: { stats(): SessionsStats }): Begun {
  const { sessions, begun, ended } = stats();
  return { sessions, begun, ended };
}

/** Returns how many subscriptions there are, to resources and to streams. */
function subscriptionsOf(sessions: Sessions): [number, number] {
  const { resources, listen } = sessions.stats().subscriptions;
  return [resources, listen];
}

/** `stats`, on one node. */
export const statsCases: readonly SessionsCase[] = [
  {
    behaviour: "O5",
    name: "each session that begins or ends is counted once, by the reason",
    run: async ({ create, within }) => {
      const sessions = await create();
      const stats = () => begunOf({ stats: () => sessions.stats() });
      const ended = { deleted: 0, ended: 0, expired: 0 };
      deepStrictEqual(stats(), { sessions: 0, begun: 0, ended });
      const principals = ["alice", undefined, "bob", "carol"];
      const [a, b] = await beginEach(sessions, principals, within);
      // Neither use nor other metadata begins or ends a session.
      strictEqual(await within(a!.ping(), "a POST"), 200);
      await within(sessions.info.setLogLevel("other", "info"), "a write");
      await within(sessions.info.delete("other"), "a deletion");
      deepStrictEqual(stats(), { sessions: 4, begun: 4, ended });
      strictEqual(await within(a!.end(), "a DELETE"), 200);
      strictEqual(await within(a!.end(), "another DELETE"), 404);
      await within(sessions.info.delete(b!.id), "a deletion");
      await within(sessions.info.delete(b!.id), "another deletion");
      await within(sessions.end({ principal: "bob" }), "end");
      await within(sessions.end({ principal: "bob" }), "end again");
      deepStrictEqual(stats(), {
        sessions: 1,
        begun: 4,
        ended: { ...ended, deleted: 2, ended: 1 },
      });
    },
  },
  {
    behaviour: "O5",
    name: "the subscriptions of both eras are counted as long as they exist",
    run: async ({ create, within }) => {
      const sessions = await create();
      const { info, subscriptions } = sessions;
      const principals = [undefined, undefined];
      const [a, b] = await beginEach(sessions, principals, within);
      deepStrictEqual(subscriptionsOf(sessions), [0, 0]);
      const [one, two] = ["file:///one", "file:///two"];
      for (const [client, uri] of [[a, one], [a, one], [a, two], [b, one]]) {
        const { id } = client as { readonly id: string };
        const added = info.addSubscription(id, uri as string);
        await within(added, "a subscription");
      }
      deepStrictEqual(subscriptionsOf(sessions), [3, 0]);
      for (const uri of [two, "file:///unknown"]) {
        await within(info.removeSubscription(a!.id, uri), "the end of one");
      }
      deepStrictEqual(subscriptionsOf(sessions), [2, 0]);
      const filter = { toolsListChanged: true };
      for (const id of [1, 1, 2]) {
        const listening = new TestSubscriber()
          .subscribe(subscriptions, id, filter);
        await within(listening, "a listen stream");
      }
      deepStrictEqual(subscriptionsOf(sessions), [2, 2]);
      const sent = subscriptions.send({
        jsonrpc: "2.0",
        method: "notifications/tools/list_changed",
      });
      await within(sent, "a notification");
      strictEqual(sessions.stats().subscriptions.notified, 2);
      await within(subscriptions.close(1, "origin", "cancelled"), "a close");
      strictEqual(await within(a!.end(), "a DELETE"), 200);
      deepStrictEqual(subscriptionsOf(sessions), [1, 1]);
      await within(subscriptions.closeAll(), "the end of all");
      strictEqual(await within(b!.end(), "a DELETE"), 200);
      deepStrictEqual(subscriptionsOf(sessions), [0, 0]);
    },
  },
];
