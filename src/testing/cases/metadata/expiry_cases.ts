import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { InfoSessionManager } from "../../../contracts/info_session_manager.ts";
import type { InfoCase } from "../../suites/behaviours.ts";
import {
  assertNotFound,
  assertThrowsOrRejects,
} from "../../support/assertions.ts";
import { getters } from "./values_cases.ts";
import { pollUntil, retryOnStall } from "../../support/timing.ts";

const IDLE_MS = 120;
const URI = "file:///shared";
const CLIENT = { name: "client", version: "1.0.0" };

type Use = (manager: InfoSessionManager, id: string) => unknown;

/** Everything that uses a session, by a name that is also the session ID. */
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

/** How long metadata is kept, and for how many sessions. */
export const infoExpiryCases: readonly InfoCase[] = [
  {
    behaviour: "I8",
    name: "metadata of unused sessions expires, and of used ones stays",
    run: ({ create }) =>
      // After a stall this long, every session is idle.
      retryOnStall(IDLE_MS * 0.8, async () => {
        const manager = await create({ idleTimeoutMs: IDLE_MS });
        // One session only subscribes.
        const idle = ["idle", "subscriber"];
        const used = Object.keys(USES);
        const filledAt = performance.now();
        await Promise.all(["idle", ...used].map((id) => fill(manager, id)));
        await manager.addSubscription("subscriber", URI);
        // Asking who subscribed to a resource is not use of a session.
        const subscribers = async () =>
          (await manager.getSubscriptions(URI)).sort();
        const filled = await subscribers();
        const fillMs = performance.now() - filledAt;
        let areGone = false;
        const pause = await pollUntil(async (elapsed) => {
          for (const id of used) {
            // A session that expired too early must not come back.
            if ((await subscribers()).includes(id)) {
              await USES[id]!(manager, id);
            }
          }
          const left = await subscribers();
          areGone = !idle.some((id) => left.includes(id));
          return areGone && elapsed > 2 * IDLE_MS;
        });
        ok(areGone, "An unused session is still stored");
        return [Math.max(fillMs, pause), async () => {
          deepStrictEqual(filled, [...idle, ...used].sort());
          deepStrictEqual(await subscribers(), used.sort());
          for (const [getter, get] of getters(manager)) {
            await assertNotFound(() => get("idle"), getter);
          }
          // The same ID may come back, and starts empty.
          await manager.setLogLevel("idle", "info");
          strictEqual(await manager.getLogLevel("idle"), "info");
          await assertNotFound(
            () => manager.getClientInfo("idle"),
            "getClientInfo",
          );
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
      // Known sessions need no new slot, and a deleted one frees its slot.
      for (const id of stored) await fill(manager, id);
      await assertThrowsOrRejects(
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

/** Stores everything that can be stored for a session. */
async function fill(manager: InfoSessionManager, id: string): Promise<void> {
  await manager.setClientInfo(id, CLIENT);
  await manager.setClientCapabilities(id, {});
  await manager.setLogLevel(id, "error");
  await manager.addSubscription(id, URI);
}
