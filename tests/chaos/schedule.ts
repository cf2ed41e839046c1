import { seededRandom } from "../../src/testing/support/seeded_random.ts";
import { type FaultName, FAULTS } from "./faults.ts";

/** What happens at one point of a schedule, `afterMs` after the step before. */
export type Step = { readonly afterMs: number } & Action;

/** Clients and nodes are given by numbers, modulo how many there are. */
export type Action =
  /** A client begins a session, and usually opens its stream. */
  | { readonly do: "begin"; readonly on: number; readonly opens: boolean }
  /** A client opens its stream on a node, also if it has one elsewhere. */
  | {
    readonly do: "open";
    readonly client: number;
    readonly on: number;
    /** Whether it stops reading its old stream without a disconnect. */
    readonly isAbrupt: boolean;
  }
  /** A client disconnects from its stream. */
  | { readonly do: "leave"; readonly client: number }
  | { readonly do: "ping"; readonly client: number; readonly on: number }
  /** A node sends to some clients, or to everyone. */
  | {
    readonly do: "send";
    readonly on: number;
    readonly to: readonly number[] | undefined;
    readonly count: number;
    readonly waits: boolean;
  }
  /** A node writes metadata of a client, and reads it. */
  | { readonly do: "write"; readonly client: number; readonly on: number }
  /** A session ends: by `sessions.end`, or by a DELETE of its client. */
  | {
    readonly do: "end";
    readonly client: number;
    readonly on: number;
    readonly isDelete: boolean;
  }
  | { readonly do: "start node" }
  | { readonly do: "close node"; readonly on: number; readonly drainMs: number }
  /** A node is gone at once: nothing that it does reaches anybody. */
  | { readonly do: "kill node"; readonly on: number }
  /** The node with a process of its own is killed, and another one started. */
  | { readonly do: "replace process" }
  /** Keeps what the store has now, for a fault that brings it back. */
  | { readonly do: "snapshot" }
  | { readonly do: "fault"; readonly fault: FaultName; readonly on: number }
  | { readonly do: "heal"; readonly fault: FaultName };

/** Steps after which everything heals and is checked. */
export type Round = readonly Step[];

/** What a run does. */
export interface Schedule {
  readonly seed: number;
  readonly replay: boolean;
  /** Which client library the nodes use, modulo how many there are. */
  readonly library: number;
  readonly rounds: readonly Round[];
}

/** At the beginning of each round nothing fails. */
const CALM_STEPS = 8;
const STEPS = 45;
const MAX_PAUSE_MS = 120;
const MAX_BURST = 8;
const MAX_RECIPIENTS = 3;
/** How many steps a fault lasts at most. */
const MAX_FAULT_STEPS = 14;

/** How often each action is chosen, beside the others. */
const WEIGHTS: Readonly<Record<string, number>> = {
  begin: 3,
  open: 9,
  leave: 3,
  ping: 6,
  send: 22,
  write: 5,
  end: 1.5,
  "start node": 1,
  "close node": 0.8,
  "kill node": 0.6,
};

/**
 * Makes a schedule, always the same one of a seed.
 *
 * @param seed The seed.
 * @param faults What the store can suffer.
 * @param rounds How many rounds it has. Fewer ones are the first of more.
 */
export function scheduleOf(
  seed: number,
  faults: readonly FaultName[],
  rounds: number,
): Schedule {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const replay = random() < 0.75;
  const library = below(1_000);
  // Of its own, so that the other steps do not depend on it.
  const randomKill = seededRandom(seed + 2);
  return {
    seed,
    replay,
    library,
    // Some rounds show that nothing goes wrong without a fault.
    rounds: Array.from(
      { length: rounds },
      () => withKill(roundOf(random, random() < 0.2 ? [] : faults), randomKill),
    ),
  };
}

/** Each round kills a process, unless another step has ended it. */
function withKill(round: Round, random: () => number): Round {
  const at = CALM_STEPS + Math.floor(random() * (round.length - CALM_STEPS));
  return round.toSpliced(at, 0, { afterMs: 0, do: "replace process" });
}

function roundOf(random: () => number, faults: readonly FaultName[]): Round {
  const below = (limit: number) => Math.floor(random() * limit);
  const steps: Step[] = [];
  /** The faults that are there now, and when they end. */
  const ends = new Map<FaultName, number>();
  for (let at = 0; at < STEPS; at++) {
    const afterMs = below(MAX_PAUSE_MS);
    for (const [fault, end] of ends) {
      if (at < end) continue;
      ends.delete(fault);
      steps.push({ afterMs: 0, do: "heal", fault });
    }
    if (at > CALM_STEPS && faults.length > 0 && random() < 0.12) {
      const fault = faults[below(faults.length)]!;
      const { scope } = FAULTS[fault];
      const isFree = [...ends.keys()].every((other) =>
        FAULTS[other].scope !== scope
      );
      if (isFree) {
        steps.push({ afterMs, do: "fault", fault, on: below(100) });
        ends.set(fault, at + 1 + below(MAX_FAULT_STEPS));
        continue;
      }
    }
    if (random() < 0.04) steps.push({ afterMs: 0, do: "snapshot" });
    steps.push({ afterMs, ...actionOf(random) });
  }
  return steps;
}

function actionOf(random: () => number): Action {
  const below = (limit: number) => Math.floor(random() * limit);
  const on = below(100);
  const client = below(100);
  const action = chosen(random);
  switch (action) {
    case "begin":
      return { do: action, on, opens: random() < 0.8 };
    case "open":
      return { do: action, client, on, isAbrupt: random() < 0.3 };
    case "leave":
      return { do: action, client };
    case "write":
    case "ping":
      return { do: action, client, on };
    case "end":
      return { do: action, client, on, isDelete: random() < 0.5 };
    case "start node":
      return { do: action };
    case "close node":
      return { do: action, on, drainMs: random() < 0.5 ? 0 : below(400) };
    case "kill node":
      return { do: action, on };
    default: {
      const to = random() < 0.4 ? undefined : Array.from(
        { length: 1 + below(MAX_RECIPIENTS) },
        () => below(100),
      );
      const count = random() < 0.6 ? 1 : 1 + below(MAX_BURST);
      return { do: "send", on, to, count, waits: random() < 0.5 };
    }
  }
}

function chosen(random: () => number): string {
  const all = Object.entries(WEIGHTS);
  let left = random() * all.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [name, weight] of all) {
    left -= weight;
    if (left < 0) return name;
  }
  return "send";
}

/** Formats a schedule, one step a line. */
export function describeSchedule({ rounds, ...rest }: Schedule): string {
  const lines = rounds.flatMap((steps, at) => [
    `round ${at + 1}:`,
    ...steps.map(({ afterMs, do: what, ...details }) =>
      `  +${afterMs} ms ${what} ${JSON.stringify(details)}`
    ),
  ]);
  return [JSON.stringify(rest), ...lines].join("\n");
}
