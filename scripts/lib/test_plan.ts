/**
 * Decides which tests run where, and in which portions. Tests mostly wait, so
 * several portions run at once.
 */

/** Which tests to run. */
export type Scope =
  /** Those that find nearly every mistake, for developers. */
  | "quick"
  /** All of them, for CI. */
  | "all"
  /** The given paths, without exceptions. */
  | "given";

/** The runtime of a portion of the plan. */
export interface Target {
  /** Whether it runs the tests that need the `Deno` global. */
  readonly isDeno: boolean;
  /** Its place among the runtimes, or "release": another release of one. */
  readonly role: "first" | "second" | "third" | "release";
}

/** Files that run in one process, or one after another. */
export interface Portion {
  readonly files: readonly string[];
  /** Whether it measures, so that nothing else may run at the same time. */
  readonly isAlone: boolean;
}

const DENO_ONLY = ["tests/deno/"];
/** Slow tests that rarely find what others miss. */
const LONG = [
  "tests/testing/cluster_faults_test.ts",
  "tests/testing/faults_test.ts",
  "tests/cluster/suite_test.ts",
  "tests/cluster/schedules_test.ts",
  "tests/model/",
  "tests/memory/",
  "tests/redis/acl_test.ts",
];
/**
 * Tests whose result does not depend on the runtime: those of the contract
 * suites, those that count Redis commands, and a cluster with processes of all
 * runtimes.
 */
const ONCE = [
  "tests/scripts/",
  "tests/bench/",
  "tests/testing/",
  "tests/cluster/suite_test.ts",
  "tests/redis/acl_test.ts",
  "tests/redis/commands_test.ts",
  "tests/redis/mixed_test.ts",
  "tests/nats/mixed_test.ts",
];
/**
 * Tests whose result depends on the runtime only if it has a bug: the rules of
 * a cluster, and failures of nodes and servers. Developers run them on one
 * runtime, CI on two.
 */
const TWICE = [
  ...ONCE,
  "tests/cluster/",
  "tests/broadcast_channel/foreign_messages_test.ts",
  "tests/broadcast_channel/membership_test.ts",
  "tests/broadcast_channel/node_crash_test.ts",
  "tests/nats/outage_test.ts",
  "tests/postgres/outage_test.ts",
  "tests/redis/adversarial_test.ts",
  "tests/redis/client_errors_test.ts",
  "tests/redis/clocks_test.ts",
  "tests/redis/event_store_test.ts",
  "tests/redis/flush_test.ts",
  "tests/redis/full_server_test.ts",
  "tests/redis/node_crash_test.ts",
  "tests/redis/older_state_test.ts",
  "tests/redis/outage_test.ts",
  "tests/redis/partial_outage_test.ts",
  "tests/redis/replay_test.ts",
  "tests/redis/request_archive_test.ts",
  "tests/redis/unknown_sessions_test.ts",
  "tests/redis/replicated_test.ts",
  "tests/e2e/redis_killed_test.ts",
  "tests/e2e/request_killed_test.ts",
  "tests/e2e/workers_killed_test.ts",
  "tests/e2e/slow_readers_age_test.ts",
  "tests/e2e/slow_readers_test.ts",
];
/** Tests that one release of a runtime covers for all its releases. */
const SAME_ON_EVERY_RELEASE = [
  ...TWICE,
  "tests/broadcast_channel/",
  "tests/nats/",
  "tests/postgres/",
  "tests/redis/",
  "tests/e2e/redis_",
  "tests/model/",
  "tests/memory/",
];
/** Tests that measure time or the memory that the operating system counts. */
const ALONE = ["tests/memory/stalled_test.ts"];
/** The slowest tests start first, so that they don't end last. */
const SLOW = [
  "tests/cluster/suite_test.ts",
  "tests/testing/",
  "tests/nats/",
  "tests/postgres/",
  "tests/redis/",
  "tests/broadcast_channel/",
  "tests/memory/",
  "tests/e2e/",
];
/** The maximum number of files in a portion of slow tests, and of others. */
const PORTION_SIZE = { slow: 2, other: 8 };

/** Returns the files that a target runs. */
export function filesFor(
  { isDeno, role }: Target,
  files: readonly string[],
  scope: Scope,
): string[] {
  const excluded = [
    ...isDeno ? [] : DENO_ONLY,
    ...scope === "quick" ? LONG : [],
    ...scope === "given" || role === "first"
      ? []
      : role === "release"
      ? SAME_ON_EVERY_RELEASE
      : scope === "quick" || role === "third"
      ? TWICE
      : ONCE,
  ];
  return files.filter((file) => !matches(file, excluded));
}

/** Divides files into portions, the slowest first. */
export function portionsOf(files: readonly string[]): Portion[] {
  const alone = files.filter((file) => matches(file, ALONE));
  const portions: Portion[] = [];
  for (let level = 0; level <= SLOW.length; level++) {
    const group = files.filter((file) =>
      slowness(file) === level && !alone.includes(file)
    );
    const size = PORTION_SIZE[level < SLOW.length ? "slow" : "other"];
    for (let at = 0; at < group.length; at += size) {
      portions.push({ files: group.slice(at, at + size), isAlone: false });
    }
  }
  if (alone.length > 0) portions.push({ files: alone, isAlone: true });
  return portions;
}

function slowness(file: string): number {
  const index = SLOW.findIndex((path) => file.startsWith(path));
  return index < 0 ? SLOW.length : index;
}

function matches(file: string, paths: readonly string[]): boolean {
  return paths.some((path) => file.startsWith(path));
}
