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

const DENO_ONLY = ["tests/chaos/", "tests/deno/"];
/**
 * Failures of nodes and servers, and the rules of a server's data. Their result
 * depends on the runtime only if it has a bug.
 */
const FAILURES = [
  "tests/broadcast_channel/foreign_messages_test.ts",
  "tests/broadcast_channel/membership_test.ts",
  "tests/broadcast_channel/node_crash_test.ts",
  "tests/e2e/replacement_test.ts",
  "tests/e2e/slow_readers_age_test.ts",
  "tests/e2e/slow_readers_test.ts",
  "tests/nats/mixed_test.ts",
  "tests/nats/outage_test.ts",
  "tests/postgres/outage_test.ts",
  "tests/redis/absent_nodes_test.ts",
  "tests/redis/acl_test.ts",
  "tests/redis/adversarial_test.ts",
  "tests/redis/cleanup_test.ts",
  "tests/redis/client_errors_test.ts",
  "tests/redis/clocks_test.ts",
  "tests/redis/echo_check_test.ts",
  "tests/redis/end_test.ts",
  "tests/redis/event_store_test.ts",
  "tests/redis/flush_test.ts",
  "tests/redis/format_test.ts",
  "tests/redis/full_server_test.ts",
  "tests/redis/late_commands_test.ts",
  "tests/redis/limits_test.ts",
  "tests/redis/mixed_test.ts",
  "tests/redis/moved_session_test.ts",
  "tests/redis/older_state_test.ts",
  "tests/redis/outage_reports_test.ts",
  "tests/redis/partial_outage_test.ts",
  "tests/redis/recent_appends_test.ts",
  "tests/redis/recovery_test.ts",
  "tests/redis/replay_test.ts",
  "tests/redis/republished_test.ts",
  "tests/redis/request_archive_test.ts",
  "tests/redis/silent_subscriber_test.ts",
  "tests/redis/unknown_sessions_test.ts",
  "tests/redis/unmet_nodes_test.ts",
  "tests/redis/unusable_server_test.ts",
];
/** Processes that are killed, and servers that fail over: on Deno and Node. */
const KILLED = [
  "tests/e2e/redis_killed_test.ts",
  "tests/e2e/request_killed_test.ts",
  "tests/e2e/workers_killed_test.ts",
  "tests/redis/node_crash_test.ts",
  "tests/redis/replicated_test.ts",
  "tests/redis/unnoticed_failover_test.ts",
];
/** Slow tests that rarely find what others miss. */
const LONG = [
  ...FAILURES,
  ...KILLED,
  "tests/chaos/",
  "tests/cluster/schedules_test.ts",
  "tests/cluster/suite_test.ts",
  "tests/deno/demo_web_test.ts",
  "tests/memory/",
  "tests/model/",
  "tests/nats/suite_test.ts",
  "tests/postgres/suite_test.ts",
  "tests/redis/suite_test.ts",
  "tests/testing/cluster_faults_test.ts",
  "tests/testing/faults_test.ts",
];
/**
 * Tests that run on the first runtime only: what does not depend on the runtime,
 * such as the rules of a cluster, the contract suites themselves, and the
 * commands that Redis gets.
 */
const ONCE = [
  ...FAILURES,
  "tests/bench/",
  "tests/cluster/",
  "tests/redis/commands_test.ts",
  "tests/scripts/",
  "tests/testing/",
];
/** Tests of the engine that Deno and Node share. */
const ONCE_ON_V8 = ["tests/memory/", "tests/model/"];
/**
 * Tests that depend on the APIs of a runtime the most. With Redis, those are the
 * clients: workers_http_test.ts has the other tests of redis_http_test.ts.
 */
const RUNTIME = [
  "tests/broadcast_channel/delivery_test.ts",
  "tests/contracts/",
  "tests/e2e/close_test.ts",
  "tests/e2e/disconnect_test.ts",
  "tests/e2e/drain_test.ts",
  "tests/e2e/drop_in_test.ts",
  "tests/e2e/guard_requests_test.ts",
  "tests/e2e/listen_test.ts",
  "tests/e2e/resume_test.ts",
  "tests/e2e/serve_test.ts",
  "tests/e2e/sse_test.ts",
  "tests/e2e/streamable_http_test.ts",
  "tests/e2e/workers_http_test.ts",
  "tests/http/",
  "tests/in_memory/",
  "tests/metadata/",
  "tests/node/",
  "tests/npm_std/",
  "tests/protocol/",
  "tests/redis/clients_test.ts",
  "tests/replay/",
  "tests/requests/",
  "tests/runtime/",
  "tests/sdk/handler_test.ts",
  "tests/streams/",
  "tests/types_test.ts",
];
/** Tests that measure time or the memory that the operating system counts. */
const ALONE = ["tests/memory/stalled_test.ts"];
/** The slowest tests start first, so that they don't end last. */
const SLOW = [
  "tests/chaos/",
  "tests/cluster/suite_test.ts",
  "tests/testing/",
  "tests/nats/",
  "tests/postgres/",
  "tests/redis/",
  "tests/broadcast_channel/",
  "tests/memory/",
  "tests/deno/demo_web_test.ts",
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
  return files.filter((file) => {
    const is = (paths: readonly string[]) => matches(file, paths);
    if (!isDeno && is(DENO_ONLY)) return false;
    if (scope === "given") return true;
    if (role === "first") return scope === "all" || !is(LONG);
    if (role === "release" || scope === "quick") return is(RUNTIME);
    return !is(ONCE) && !is(role === "second" ? ONCE_ON_V8 : KILLED);
  });
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
