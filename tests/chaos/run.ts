import { seededRandom } from "../../src/testing/support/seeded_random.ts";
import { Actions } from "./actions.ts";
import { watchBusy } from "./busy.ts";
import { History } from "./history.ts";
import type { Schedule } from "./schedule.ts";
import { settle } from "./settle.ts";
import type { Store } from "./stores/store.ts";
import { watchUnhandled } from "./unhandled.ts";

/** How many clients a run begins with. */
const CLIENTS = 6;

/** What a run has found. */
export interface Outcome {
  readonly violations: readonly string[];
  /** What happened, one event a line. */
  readonly history: string;
  /** How many messages were sent, and how many a client has received. */
  readonly sent: number;
  readonly received: number;
  readonly resets: number;
  /** How many processes were killed. */
  readonly killed: number;
}

/** Runs a schedule, and checks each round. */
export async function runSchedule(
  schedule: Schedule,
  store: Store,
): Promise<Outcome> {
  const history = new History(store.keepsEvents);
  const random = seededRandom(schedule.seed + 1);
  const actions = new Actions({ schedule, store, history, random });
  const unwatch = watchUnhandled((what) => history.violate(what));
  const unwatchBusy = watchBusy(history);
  try {
    // One of them has a process of its own.
    const isProcess = [false, true, false];
    await Promise.all(isProcess.map((is) => actions.nodes.start(is)));
    await actions.nodes.meet();
    for (let at = 0; at < CLIENTS; at++) await actions.begin(at, true);
    for (const steps of schedule.rounds) {
      // The first one includes the start.
      history.rounds.push(history.rounds.length === 0 ? 0 : history.now);
      for (const node of history.nodes) node.lostBefore = node.lost;
      for (const step of steps) {
        await pause(step.afterMs);
        await actions.do(step);
      }
      await settle(actions, schedule, store, history);
      if (history.violations.length > 0) break;
    }
  } catch (error) {
    history.violate(`the run failed: ${(error as Error).stack}`);
  } finally {
    unwatchBusy();
    await actions.dispose();
    // Rejections that nobody handles are reported a moment later.
    await pause(20);
    unwatch();
  }
  const received = history.clients.flatMap(({ received }) => received);
  return {
    violations: history.violations,
    history: history.describe(),
    sent: history.sent.size,
    received: received.filter(({ text }) => text !== undefined).length,
    resets: received.filter(({ text }) => text === undefined).length,
    killed: actions.nodes.killedProcesses,
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
