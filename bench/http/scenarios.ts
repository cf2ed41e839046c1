import type { Contender } from "./control.ts";

/** What is sent at a time, and how much more it has to cost others. */
export interface Scenario {
  readonly name: string;
  /** How many events, in one turn of the event loop. */
  readonly burst: number;
  /** How many times as much of the processor another has to need, by runtime. */
  readonly goals: {
    readonly [Other in Contender]?: { readonly [runtime: string]: number };
  };
}

/** How many connections the goals are for. */
export const CONNECTIONS_OF_GOALS = 1_000;

/** What is measured. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "bursts of ten events",
    burst: 10,
    goals: {
      peer: { Deno: 2.5, Node: 3.5, Bun: 8 },
      "better-sse": { Node: 4 },
    },
  },
  {
    name: "single events",
    burst: 1,
    goals: { peer: { Deno: 1.5, Node: 1.5 } },
  },
];
