import { sessionsReplacementCases } from "../cases/sessions/replacement_cases.ts";
import { sessionsTransportCases } from "../cases/sessions/transport_cases.ts";
import type { SessionsOptions } from "../../contracts/options.ts";
import type { Sessions } from "../../contracts/sessions.ts";
import type { SessionsBehaviour, SessionsCase } from "./behaviours.ts";
import { sessionsFrameCases } from "../cases/sessions/frame_cases.ts";
import { beginEndCases } from "../cases/operation/begin_end_cases.ts";
import { endCases } from "../cases/operation/end_cases.ts";
import { listCases } from "../cases/operation/list_cases.ts";
import { statsCases } from "../cases/operation/stats_cases.ts";
import { notifyCases } from "../cases/operation/notify_cases.ts";
import { sessionsGuardCases } from "../cases/sessions/guard_cases.ts";
import { sessionsLifetimeCases } from "../cases/sessions/lifetime_cases.ts";
import { sessionsLimitCases } from "../cases/sessions/limit_cases.ts";
import { sessionsNodeCases } from "../cases/sessions/node_cases.ts";
import { sessionsOpenRequestCases } from "../cases/sessions/open_request_cases.ts";
import { sessionsRequestCases } from "../cases/sessions/request_cases.ts";
import { sessionsResetCases } from "../cases/sessions/reset_cases.ts";
import { sessionsResumeCases } from "../cases/sessions/resume_cases.ts";
import { sessionsShareCases } from "../cases/sessions/share_cases.ts";
import { sessionsTrafficCases } from "../cases/sessions/traffic_cases.ts";
import { register, type SuiteOptions } from "./suite.ts";

/** Options of {@linkcode testSessions}. */
export interface SessionsSuiteOptions
  extends SuiteOptions<Sessions, SessionsOptions, SessionsBehaviour> {
  /**
   * Creates another node that shares the sessions of a given one, for H7.
   *
   * @default undefined H7 is not tested
   */
  readonly createNode?:
    | ((
      beside: Sessions,
      options: SessionsOptions,
    ) => Sessions | Promise<Sessions>)
    | undefined;
  /**
   * Releases what the sessions of one test hold.
   *
   * @default undefined they are closed
   */
  readonly dispose?: ((sessions: Sessions) => unknown) | undefined;
}

const CASES: readonly SessionsCase[] = [
  ...sessionsGuardCases,
  ...sessionsTrafficCases,
  ...sessionsTransportCases,
  ...sessionsReplacementCases,
  ...sessionsRequestCases,
  ...sessionsOpenRequestCases,
  ...sessionsNodeCases,
  ...sessionsResumeCases,
  ...sessionsResetCases,
  ...sessionsFrameCases,
  ...sessionsLifetimeCases,
  ...notifyCases,
  ...beginEndCases,
  ...endCases,
  ...sessionsLimitCases,
  ...sessionsShareCases,
  ...listCases,
  ...statsCases,
];

/**
 * Registers the tests that every `Sessions` must pass, with a small transport
 * that behaves as tmcp's do:
 *
 * - H1 A malformed session ID is refused.
 * - H2 A session that was never begun, or was deleted, is refused.
 * - H3 A GET replaces the attached stream.
 * - H4 A stream resumes after `Last-Event-ID`.
 * - H5 A session of another principal looks like an unknown one.
 * - H6 Everything else passes, unread and unbuffered.
 * - H7 Every node accepts a session.
 * - H8 An `initialize` with an unknown session ID begins a new session.
 * - H9 A GET without a session ID is refused, unless its response assigns none.
 * - H10 A web page of another origin can read its session ID.
 * - H11 A JSON body above `maxBodyBytes` is refused.
 * - H12 Revisions from 2026-07-28 on have no sessions.
 * - H13 A path that the transport does not serve has no sessions.
 * - H14 Arguments of the wrong type are refused with a clear error.
 * - P1 With replay, every event of the response to a POST has an ID.
 * - P2 A request goes on when its client disconnects, and the client gets the
 *   rest when it comes back.
 * - P8 Open requests are limited, and old ones are forgotten.
 * - P9 Nobody else gets the events of a request.
 * - P10 The end of a session ends its requests.
 * - I8 A session with an open stream is in use.
 * - S10 A reader that was evicted can resume.
 * - S12 At a limit, clients are asked to try again later.
 * - S13 `close` ends everything, at once or over a period of time.
 * - S14 A client that reconnects misses nothing and gets nothing twice.
 * - S15 If events are unavailable, it gets a reset; it never gets events of
 *   others.
 * - S16 Events of one turn keep their order.
 * - S17 The replay log is bounded by events, bytes and age.
 * - S18 Every event arrives unchanged, with a reliable ID.
 * - O1 `notify` reaches each client once, in both eras.
 * - O2 The sessions of a principal can be addressed together.
 * - O3 Nothing is left of a session that was ended.
 * - O4 `list` misses no session, and lists none twice.
 * - O5 What began and ended is reported and counted once.
 * - L3 An `initialize` with too much client info begins no session.
 * - L5 The sessions of a principal are limited.
 * - L6 So is how fast it begins them.
 * - L7 Open requests of a session are limited, and those of a principal without
 *   one.
 * - L8 A busy session does not push the events of others out of the replay log.
 * - L9 `onRefuse` is called with each refusal.
 *
 * @param options The test function, the factory, and what it supports.
 * @throws {InvalidArgumentError} If an option is invalid.
 *
 * @example
 * ```ts no-eval
 * import { InMemorySessions } from "@crossmcp/session-manager";
 * import { testSessions } from "@crossmcp/session-manager/testing";
 * import { describe, it } from "node:test";
 *
 * describe("InMemorySessions", () => {
 *   testSessions({
 *     test: it,
 *     create: (options) => new InMemorySessions(options),
 *   });
 * });
 * ```
 */
export function testSessions(options: SessionsSuiteOptions): void {
  const { create, createNode } = options;
  register(CASES, {
    ...options,
    create: ({ beside, ...limits }) =>
      beside === undefined || createNode === undefined
        ? create(limits)
        : createNode(beside, limits),
    dispose: options.dispose ?? ((sessions) => sessions.close()),
    supports: createNode === undefined
      ? { ...options.supports, H7: false }
      : options.supports,
  });
}
