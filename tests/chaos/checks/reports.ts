import { FAULTS } from "../faults.ts";
import type { History } from "../history.ts";

/** A server that rejects writes again within this time, in milliseconds. */
const SAME_OUTAGE_MS = 30_000;
const REJECTING = /rejects writes/;

/** Returns what was reported too often in a round. */
export function checkReports(history: History, round: number): string[] {
  const since = history.rounds[round]!;
  return history.nodes.flatMap((node) => {
    const all = history.reports.filter((report) =>
      report.node === node && report.at < node.goneAt
    );
    const faults = history.faults.filter((fault) =>
      fault.from >= since && (fault.node === undefined || fault.node === node)
    );
    const problems: string[] = [];
    for (const { error, at } of all) {
      if (at < since) continue;
      const isKnown = REJECTING.test(error.message) &&
        all.some((other) =>
          other.error.message === error.message && other.at < at &&
          other.at > at - SAME_OUTAGE_MS
        );
      if (isKnown) problems.push(`reported again: ${error}`);
      if (error.name !== "ClusterError") problems.push(`reported: ${error}`);
    }
    const recent = all.filter(({ at }) => at >= since);
    // The data that a fault loses has a report of its own, and on a busy machine
    // there may be an outage without a fault.
    const limit = faults.reduce(
      (sum, { fault }) => sum + (FAULTS[fault].losesData ? 2 : 1),
      1,
    );
    if (faults.length > 0 && recent.length > limit) {
      problems.push(
        `has ${recent.length} reports of ${faults.length} faults: ${
          recent.map(({ error, at }) => `${Math.round(at)} ms ${error}`)
            .join("; ")
        }`,
      );
    }
    return problems.map((problem) => `${node.name} ${problem}`);
  });
}
