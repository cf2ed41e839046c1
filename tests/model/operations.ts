import fc from "fast-check";
import type { Kind } from "./client.ts";

/** The last event ID that a client sends when it reconnects. */
export type Claim =
  /** The correct one. */
  | "last"
  /** An earlier event of its own. */
  | "older"
  /** The last event of another session. */
  | "other"
  | "nothing"
  | "future"
  | "other log"
  | "garbage";

/** An operation on the manager. */
export type Operation =
  | {
    readonly do: "create";
    readonly id: string;
    readonly kind: Kind;
    readonly eager: boolean;
    /** Whether others have written to the stream before. */
    readonly used: boolean;
  }
  | {
    readonly do: "prepare";
    readonly id: string;
    readonly claim: Claim;
    /** Which of the earlier ones. */
    readonly back: number;
    readonly prime: boolean | "named";
    readonly persistent: boolean;
    /** Whether the session's start position is given. */
    readonly hasStart: boolean;
  }
  | { readonly do: "recreate"; readonly id: string }
  | { readonly do: "revoke"; readonly which: number }
  | {
    readonly do: "send";
    readonly to: readonly string[] | undefined;
    readonly texts: readonly string[];
  }
  | { readonly do: "end turn" | "compare" | "settle" }
  | { readonly do: "read"; readonly id: string; readonly chunks: number }
  | { readonly do: "cancel"; readonly id: string; readonly back: number }
  | { readonly do: "delete"; readonly id: string }
  | { readonly do: "foreign"; readonly id: string }
  | { readonly do: "break"; readonly id: string; readonly how: Break }
  | { readonly do: "advance"; readonly ms: number }
  | { readonly do: "close" };

/** How others end a stream. */
export type Break = "close" | "error";

export const IDS: readonly string[] = ["a", "b", "c", "d", "__proto__"];

const id = fc.constantFrom(...IDS);
const kind = fc.constantFrom<Kind>(
  "count",
  "roomy",
  "lengths",
  "unbuffered",
  "bytes",
);
const to = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 4, arbitrary: id.map((id) => [id]) },
  { weight: 3, arbitrary: fc.array(fc.constantFrom(...IDS, "nobody")) },
);
/** The data of a frame; the lengths matter more than the characters. */
const content = fc.oneof(
  fc.nat({ max: 60 }).map((length) => "x".repeat(length)),
  fc.string({ unit: fc.constantFrom("a", "\u00e9", "\u{1f600}", "\ud83d") }),
);

const rarely = fc.oneof(
  { weight: 9, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);
const breaks = fc.constantFrom<Break>("close", "error");
const create = fc.record({
  do: of("create"),
  id,
  kind,
  eager: fc.boolean(),
  used: rarely,
});
const expect = fc.record({
  do: of("prepare"),
  id,
  claim: fc.oneof(
    { weight: 12, arbitrary: fc.constant<Claim>("last") },
    { weight: 6, arbitrary: fc.constantFrom<Claim>("older", "other") },
    { weight: 2, arbitrary: fc.constant<Claim>("nothing") },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Claim>("future", "other log", "garbage"),
    },
  ),
  back: fc.nat({ max: 4 }),
  prime: fc.constantFrom(false, true, "named" as const),
  persistent: rarely,
  hasStart: fc.boolean(),
});
/** A client that reconnects. */
const back = fc.tuple(expect, create).map((
  [expect, create],
): Operation[] => [expect, { ...create, id: expect.id }]);

/** Returns the next operations; common ones are more likely. */
function step(hasReplay: boolean): fc.Arbitrary<Operation[]> {
  const weighted: [weight: number, fc.Arbitrary<Operation>][] = [
    [6, create],
    [1, expect],
    [1, fc.record({ do: of("recreate"), id })],
    [4, fc.record({ do: of("revoke"), which: fc.nat({ max: 3 }) })],
    [36, fc.record({ do: of("send"), to, texts: texts(hasReplay) })],
    [16, fc.record({ do: of("end turn") })],
    [3, fc.record({ do: of("settle") })],
    [3, fc.record({ do: of("compare") })],
    [20, fc.record({ do: of("read"), id, chunks: fc.nat({ max: 9 }) })],
    [3, fc.record({ do: of("cancel"), id, back: fc.nat({ max: 2 }) })],
    [2, fc.record({ do: of("delete"), id })],
    [1, fc.record({ do: of("foreign"), id })],
    [1, fc.record({ do: of("break"), id, how: breaks })],
    [3, fc.record({ do: of("advance"), ms: fc.nat({ max: 4_000 }) })],
  ];
  return fc.oneof(
    ...weighted.map(([weight, arbitrary]) => ({
      weight,
      arbitrary: arbitrary.map((operation) => [operation]),
    })),
    { weight: hasReplay ? 12 : 2, arbitrary: back },
  );
}

/** Returns frames, or arbitrary texts without replay. */
function texts(hasReplay: boolean): fc.Arbitrary<string[]> {
  const frame = content.map((content) => `data: ${content}\n\n`);
  const frames = fc.array(frame, { maxLength: 3 });
  return hasReplay ? frames : fc.oneof(frames, fc.tuple(content));
}

/** Returns a sequence of operations on one manager. */
export function operations(hasReplay: boolean): fc.Arbitrary<Operation[]> {
  const close: Operation[][] = [[{ do: "close" }]];
  return fc.tuple(
    fc.array(create, { maxLength: 6 }),
    fc.array(step(hasReplay), { maxLength: 100, size: "max" }),
    rarely,
    fc.array(step(hasReplay), { maxLength: 5 }),
  ).map(([first, before, closes, after]) => [
    ...first,
    ...[...before, ...(closes ? close : []), ...after].flat(),
  ]);
}

function of<Do extends Operation["do"]>(name: Do): fc.Arbitrary<Do> {
  return fc.constant(name);
}
