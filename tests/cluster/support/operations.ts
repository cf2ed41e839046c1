import fc from "fast-check";

/** An operation on a node; `on` is an index among the live ones. */
export type Operation =
  | { readonly do: "create"; readonly on: number; readonly id: string }
  | { readonly do: "delete"; readonly on: number; readonly id: string }
  | { readonly do: "has"; readonly on: number; readonly id: string }
  | { readonly do: "broadcast"; readonly on: number; readonly count: number }
  | {
    readonly do: "targeted send";
    readonly on: number;
    readonly ids: readonly string[];
  }
  | {
    readonly do: "write";
    readonly on: number;
    readonly id: string;
    readonly what: "info" | "level" | "subscribe" | "unsubscribe" | "delete";
    readonly value: number;
  }
  | { readonly do: "listen"; readonly on: number; readonly id: number }
  | { readonly do: "notify"; readonly on: number }
  | { readonly do: "end"; readonly on: number; readonly id: number }
  /** Cuts a node off, together with some that follow it. */
  | {
    readonly do: "partition";
    readonly on: number;
    readonly others: number;
  }
  | { readonly do: "heal" }
  | { readonly do: "kill"; readonly on: number }
  | { readonly do: "leave"; readonly on: number }
  /** A new node, or one with the name of the one that left last. */
  | { readonly do: "join"; readonly again: boolean }
  | { readonly do: "wait"; readonly ms: number };

/** An operation, and whether the run waits for it. */
export type Step = Operation & { readonly waits: boolean };

/** A network, its nodes, and the operations on them. */
export interface Schedule {
  readonly seed: number;
  readonly dropRate: number;
  readonly duplicateRate: number;
  readonly mostDelayMs: number;
  readonly nodes: number;
  readonly steps: readonly Step[];
}

/** Sessions that are created, move and end. */
export const IDS: readonly string[] = ["a", "b", "c", "__proto__"];
/** Subscriptions. */
export const SUBSCRIPTIONS: readonly number[] = [1, 2, 3];
/** Resources that sessions subscribe to. */
export const URIS: readonly string[] = ["file:///0", "file:///1", "toString"];

const on = fc.nat({ max: 59 });
const id = fc.constantFrom(...IDS);
const percent = (from: number, to: number) =>
  fc.integer({ min: from, max: to }).map((percent) => percent / 100);

const weighted: readonly [weight: number, fc.Arbitrary<Operation>][] = [
  [10, fc.record({ do: of("create"), on, id })],
  [4, fc.record({ do: of("delete"), on, id })],
  [3, fc.record({ do: of("has"), on, id })],
  [
    20,
    fc.record({
      do: of("broadcast"),
      on,
      count: fc.constantFrom(1, 1, 1, 2, 5, 100),
    }),
  ],
  [
    15,
    fc.record({
      do: of("targeted send"),
      on,
      ids: fc.array(
        fc.constantFrom(...IDS, "w0", "w1", "w2", "w3", "nobody"),
        { minLength: 1, maxLength: 4 },
      ),
    }),
  ],
  [
    12,
    fc.record({
      do: of("write"),
      on,
      id,
      what: fc.constantFrom(
        "info",
        "info",
        "level",
        "level",
        "subscribe",
        "subscribe",
        "unsubscribe",
        "delete",
      ),
      value: fc.nat({ max: 2 }),
    }),
  ],
  [3, fc.record({ do: of("listen"), on, id: fc.constantFrom(1, 2, 3) })],
  [3, fc.record({ do: of("notify"), on })],
  [1, fc.record({ do: of("end"), on, id: fc.constantFrom(1, 2, 3) })],
  [2, fc.record({ do: of("partition"), on, others: fc.nat({ max: 2 }) })],
  [3, fc.record({ do: of("heal") })],
  [1, fc.record({ do: of("kill"), on })],
  [1, fc.record({ do: of("leave"), on })],
  [2, fc.record({ do: of("join"), again: fc.boolean() })],
  [
    6,
    fc.record({
      do: of("wait"),
      ms: fc.oneof(
        { weight: 8, arbitrary: fc.nat({ max: 40 }) },
        { weight: 8, arbitrary: fc.nat({ max: 400 }) },
        // Long enough to be forgotten.
        { weight: 1, arbitrary: fc.constant(700) },
      ),
    }),
  ],
];

const step = fc.tuple(
  fc.oneof(
    ...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })),
  ),
  fc.boolean(),
).map(([operation, waits]): Step => ({ ...operation, waits }));

/** All operations. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.nat(),
  dropRate: fc.oneof(
    { weight: 1, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: percent(1, 10) },
    { weight: 2, arbitrary: percent(11, 30) },
  ),
  duplicateRate: percent(0, 20),
  mostDelayMs: fc.constantFrom(0, 5, 15),
  nodes: fc.integer({ min: 2, max: 5 }),
  steps: fc.array(step, { maxLength: 40, size: "max" }),
});

function of<Do extends Operation["do"]>(name: Do): fc.Arbitrary<Do> {
  return fc.constant(name);
}
