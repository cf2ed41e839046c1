import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { InfoSessionManager } from "../../../contracts/info_session_manager.ts";
import type { InfoCase } from "../../suites/behaviours.ts";
import { forgotten, refused } from "../../support/expect.ts";
import { getters } from "./values_cases.ts";
import { repeatedly, undisturbed } from "../../suites/suite.ts";

const IDLE_MS = 120;
const URI = "file:///shared";
const CLIENT = { name: "client", version: "1.0.0" };

type Use = (manager: InfoSessionManager, id: string) => unknown;

/** Everything that uses a session, by a name that is the session's id. */
const USES: Readonly<Record<string, Use>> = {
  getClientInfo: (manager, id) => manager.getClientInfo(id),
  getClientCapabilities: (manager, id) => manager.getClientCapabilities(id),
  getLogLevel: (manager, id) => manager.getLogLevel(id),
  setClientInfo: (manager, id) => manager.setClientInfo(id, CLIENT),
  setClientCapabilities: (manager, id) => manager.setClientCapabilities(id, {}),
  setLogLevel: (manager, id) => manager.setLogLevel(id, "info"),
  addSubscription: (manager, id) => manager.addSubscription(id, URI),
  removeSubscription: (manager, id) =>
    manager.removeSubscription(id, "file:///none"),
};

/** How long metadata is kept, and of how many sessions. */
export const infoExpiryCases: readonly InfoCase[] = [
  {
    behaviour: "I8",
    name: "what nobody uses is forgotten, and what is read or written stays",
    run: ({ create }) =>
      // On a machine that pauses for so long every session is idle.
      undisturbed(IDLE_MS * 0.8, async () => {
        const manager = await create({ idleTimeoutMs: IDLE_MS });
        // One session says nothing, but subscribes.
        const idle = ["idle", "subscriber"];
        const used = Object.keys(USES);
        for (const id of ["idle", ...used]) await fill(manager, id);
        await manager.addSubscription("subscriber", URI);
        // To ask who subscribed to a resource is no use of a session.
        const subscribers = async () =>
          (await manager.getSubscriptions(URI)).sort();
        deepStrictEqual(await subscribers(), [...idle, ...used].sort());
        let areGone = false;
        const pause = await repeatedly(async (elapsed) => {
          for (const id of used) {
            // A session that was forgotten too early must not come back.
            if ((await subscribers()).includes(id)) {
              await USES[id]!(manager, id);
            }
          }
          const left = await subscribers();
          areGone = !idle.some((id) => left.includes(id));
          return areGone && elapsed > 2 * IDLE_MS;
        });
        ok(areGone, "A session that nobody uses is still there");
        return [pause, async () => {
          deepStrictEqual(await subscribers(), used.sort());
          for (const [getter, get] of getters(manager)) {
            await forgotten(() => get("idle"), getter);
          }
          // The same id may come back, and starts with nothing.
          await manager.setLogLevel("idle", "info");
          strictEqual(await manager.getLogLevel("idle"), "info");
          await forgotten(() => manager.getClientInfo("idle"), "getClientInfo");
        }];
      }),
  },
  {
    behaviour: "I8",
    name: "no more than maxSessions are stored, also by concurrent writes",
    run: async ({ create, within }) => {
      const manager = await create({ maxSessions: 3 });
      const outcomes = await within(
        Promise.allSettled(
          Array.from({ length: 6 }, async (_, index) => {
            const id = `s${index}`;
            if (index % 2 === 0) await manager.setClientInfo(id, CLIENT);
            else await manager.addSubscription(id, URI);
          }),
        ),
        "six writes",
      );
      const stored = outcomes.flatMap(({ status }, index) =>
        status === "fulfilled" ? [`s${index}`] : []
      );
      strictEqual(stored.length, 3, `${stored.length} of 6 were stored`);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") {
          strictEqual(outcome.reason.name, "SessionLimitError");
        }
      }
      // Those that are known need no room, and one that goes makes some.
      for (const id of stored) await fill(manager, id);
      await refused(
        () => manager.setLogLevel("one-more", "info"),
        "SessionLimitError",
        "A session beyond maxSessions",
      );
      deepStrictEqual((await manager.getSubscriptions(URI)).sort(), stored);
      await manager.delete(stored[0]!);
      await fill(manager, "one-more");
      strictEqual(await manager.getLogLevel("one-more"), "error");
    },
  },
];

/** Stores all there is to store of a session. */
async function fill(manager: InfoSessionManager, id: string): Promise<void> {
  await manager.setClientInfo(id, CLIENT);
  await manager.setClientCapabilities(id, {});
  await manager.setLogLevel(id, "error");
  await manager.addSubscription(id, URI);
}
