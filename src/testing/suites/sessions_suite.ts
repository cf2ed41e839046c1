import type { SessionsOptions } from "../../contracts/options.ts";
import type { Sessions } from "../../contracts/sessions.ts";
import type { SessionsBehaviour, SessionsCase } from "./behaviours.ts";
import { sessionsFrameCases } from "../cases/sessions/frame_cases.ts";
import { sessionsGuardCases } from "../cases/sessions/guard_cases.ts";
import { sessionsLifetimeCases } from "../cases/sessions/lifetime_cases.ts";
import { sessionsNodeCases } from "../cases/sessions/node_cases.ts";
import { sessionsResetCases } from "../cases/sessions/reset_cases.ts";
import { sessionsResumeCases } from "../cases/sessions/resume_cases.ts";
import { sessionsTrafficCases } from "../cases/sessions/traffic_cases.ts";
import { register, type SuiteOptions } from "./suite.ts";

/** Options of {@linkcode testSessions}. */
export interface SessionsSuiteOptions
  extends SuiteOptions<Sessions, SessionsOptions, SessionsBehaviour> {
  /**
   * Makes another node that answers for the same sessions, for H7.
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
   * Frees what one test's sessions hold.
   *
   * @default undefined they are closed
   */
  readonly dispose?: ((sessions: Sessions) => unknown) | undefined;
}

const CASES: readonly SessionsCase[] = [
  ...sessionsGuardCases,
  ...sessionsTrafficCases,
  ...sessionsNodeCases,
  ...sessionsResumeCases,
  ...sessionsResetCases,
  ...sessionsFrameCases,
  ...sessionsLifetimeCases,
];

/**
 * Registers the tests that every `Sessions` has to pass, with a small transport
 * that behaves as tmcp's do:
 *
 * - H1 An id that cannot be one is refused.
 * - H2 A session that nobody began, or that was deleted, is refused.
 * - H3 A GET takes the place of the stream that is attached.
 * - H4 `Last-Event-ID` resumes.
 * - H5 A session of another principal looks like none.
 * - H6 Everything else passes, unread and unbuffered.
 * - H7 Any node answers for a session.
 * - I8 A session with an open stream is in use.
 * - S10 A reader that was broken off can come back for the rest.
 * - S12 Where there is no place, clients are told to come later.
 * - S13 `close` ends everything, at once or little by little.
 * - S14 A client that comes back misses nothing and gets nothing twice.
 * - S15 Where that cannot be, it is told; it never gets what is not its own.
 * - S16 Events of one moment keep their order.
 * - S17 What is kept is bounded by events, bytes and age.
 * - S18 Every event arrives as it was sent, with an id to rely on.
 *
 * @param options The test function, the factory, and what it supports.
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
