/** "info" is what could not be tested; "warn" is a SHOULD, and "fail" a MUST. */
export type Outcome = "pass" | "info" | "warn" | "fail";

/** What the suite says of one server, by scenario and check. */
export type Results = ReadonlyMap<string, Outcome>;

/** A check as the suite writes it down. */
export interface Check {
  readonly id: string;
  readonly status: string;
}

/** A check that tmcp alone does not pass. */
export interface KnownFailure {
  /** The scenario and the check. */
  readonly check: string;
  readonly outcome: "warn" | "fail";
  /** Why. */
  readonly reason: string;
  /** The other servers, those that pass it. */
  readonly passesWith: readonly string[];
}

const OUTCOMES: Record<string, Outcome> = {
  SUCCESS: "pass",
  INFO: "info",
  SKIPPED: "info",
  WARNING: "warn",
};
const RANKS: readonly Outcome[] = ["pass", "info", "warn", "fail"];

/** Adds the checks of a scenario; of a check that is made twice, the worse. */
export function addChecks(
  results: Map<string, Outcome>,
  scenario: string,
  checks: readonly Check[],
): void {
  for (const { id, status } of checks) {
    const name = id === scenario ? id : `${scenario}: ${id}`;
    const outcome = OUTCOMES[status] ?? "fail";
    if (!isWorse(results.get(name) ?? "pass", outcome)) {
      results.set(name, outcome);
    }
  }
}

/** The checks of all servers, without the suite's mere remarks. */
export function checksOf(servers: readonly Results[]): string[] {
  const names = new Set(servers.flatMap((results) => [...results.keys()]));
  return [...names].filter((name) =>
    servers.some((results) => outcomeOf(results, name) !== "info")
  );
}

/** What became of a check; one that was not made could not be tested. */
export function outcomeOf(results: Results, check: string): Outcome {
  return results.get(check) ?? "info";
}

/**
 * What should not be: that tmcp alone does other than listed, that another server
 * is worse than tmcp alone, or that it passes more or less than listed.
 *
 * @param alone Of tmcp alone.
 * @param others Of the other servers, by name.
 * @param known What is listed.
 */
export function complaints(
  alone: Results,
  others: Readonly<Record<string, Results>>,
  known: readonly KnownFailure[],
): string[] {
  const found: string[] = [];
  const checks = checksOf([alone, ...Object.values(others)]);
  for (const check of checks) {
    const outcome = outcomeOf(alone, check);
    const listed = known.find((failure) => failure.check === check);
    if (isWorse(outcome, "info") || listed !== undefined) {
      if (outcome !== listed?.outcome) {
        const instead = listed ? `listed as "${listed.outcome}"` : "not listed";
        found.push(`${check}: "${outcome}" with tmcp alone, ${instead}`);
      }
    }
    for (const [name, results] of Object.entries(others)) {
      const its = outcomeOf(results, check);
      if (isWorse(its, outcome)) {
        found.push(`${check}: "${its}" with ${name}, worse than tmcp alone`);
      }
      if (listed && listed.passesWith.includes(name) !== (its === "pass")) {
        found.push(`${check}: "${its}" with ${name}, other than listed`);
      }
    }
  }
  for (const { check } of known) {
    if (!checks.includes(check)) found.push(`${check}: listed, but not made`);
  }
  return found;
}

function isWorse(outcome: Outcome, other: Outcome): boolean {
  return RANKS.indexOf(outcome) > RANKS.indexOf(other);
}
