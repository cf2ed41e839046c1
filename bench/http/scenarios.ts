import type { Contender } from "./control.ts";

/** A burst size, and the minimum cost of the others. */
export interface Scenario {
  readonly name: string;
  /** The number of events in one turn of the event loop. */
  readonly burst: number;
  /** The minimum ratio of another's CPU time to ours, by runtime. */
  readonly goals: {
    readonly [Other in Contender]?: { readonly [runtime: string]: number };
  };
}

/** The number of connections that the goals are for. */
export const CONNECTIONS_OF_GOALS = 1_000;

/** The scenarios that are measured. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "bursts of ten events",
    burst: 10,
    goals: {
      peer: { Deno: 2.5, Node: 3.5, Bun: 8 },
      "better-sse": { Node: 4 },
      bare: { Node: 2 },
    },
  },
  {
    name: "single events",
    burst: 1,
    goals: {
      peer: { Deno: 1.5, Node: 1.5 },
      "better-sse": { Node: 1 },
      bare: { Node: 0.9 },
    },
  },
];
