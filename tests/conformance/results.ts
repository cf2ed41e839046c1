/**
 * "info" means not tested, "warn" a SHOULD that failed, and "fail" a MUST that
 * failed.
 */
export type Outcome = "pass" | "info" | "warn" | "fail";

/** The results of one server, by scenario and check. */
export type Results = ReadonlyMap<string, Outcome>;

/** A check in the suite's report. */
export interface Check {
  readonly id: string;
  readonly status: string;
}

/** A check that a server alone fails. */
export interface KnownFailure {
  /** The scenario and the check. */
  readonly check: string;
  readonly outcome: "warn" | "fail";
  /** The cause of the failure. */
  readonly reason: string;
  /** The other servers that pass it. */
  readonly passesWith: readonly string[];
}

const OUTCOMES: Record<string, Outcome> = {
  SUCCESS: "pass",
  INFO: "info",
  SKIPPED: "info",
  WARNING: "warn",
};
const RANKS: readonly Outcome[] = ["pass", "info", "warn", "fail"];

/** Adds the checks of a scenario. If a check ran twice, the worse result counts. */
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

/** Returns the checks of all servers, without the suite's remarks. */
export function checksOf(servers: readonly Results[]): string[] {
  const names = new Set(servers.flatMap((results) => [...results.keys()]));
  return [...names].filter((name) =>
    servers.some((results) => outcomeOf(results, name) !== "info")
  );
}

/** Returns the outcome of a check; "info" if it did not run. */
export function outcomeOf(results: Results, check: string): Outcome {
  return results.get(check) ?? "info";
}

/**
 * Returns the unexpected results: the server alone differs from the list, another
 * is worse than it, or passes more or less than listed.
 *
 * @param alone The results of the server alone.
 * @param others The results of the other servers, by name.
 * @param known The list of known failures.
 * @param server The name of the server.
 */
export function unexpectedResults(
  alone: Results,
  others: Readonly<Record<string, Results>>,
  known: readonly KnownFailure[],
  server: string = "tmcp",
): string[] {
  const found: string[] = [];
  const checks = checksOf([alone, ...Object.values(others)]);
  for (const check of checks) {
    const outcome = outcomeOf(alone, check);
    const listed = known.find((failure) => failure.check === check);
    if (isWorse(outcome, "info") || listed !== undefined) {
      if (outcome !== listed?.outcome) {
        const instead = listed ? `listed as "${listed.outcome}"` : "not listed";
        found.push(`${check}: "${outcome}" with ${server} alone, ${instead}`);
      }
    }
    for (const [name, results] of Object.entries(others)) {
      const its = outcomeOf(results, check);
      if (isWorse(its, outcome)) {
        found.push(
          `${check}: "${its}" with ${name}, worse than ${server} alone`,
        );
      }
      if (listed && listed.passesWith.includes(name) !== (its === "pass")) {
        found.push(`${check}: "${its}" with ${name}, but listed otherwise`);
      }
    }
  }
  for (const { check } of known) {
    if (!checks.includes(check)) {
      found.push(`${check}: listed, but did not run`);
    }
  }
  return found;
}

function isWorse(outcome: Outcome, other: Outcome): boolean {
  return RANKS.indexOf(outcome) > RANKS.indexOf(other);
}
