import type { InfoSessionManager } from "../../contracts/info_session_manager.ts";
import type {
  InfoOptions,
  SessionsOptions,
  StreamEventOptions,
  StreamOptions,
  SubscriptionOptions,
} from "../../contracts/options.ts";
import type { SessionData } from "../../contracts/session_data.ts";
import type { Sessions } from "../../contracts/sessions.ts";
import type { StreamSessionManager } from "../../contracts/stream_session_manager.ts";
import type { SubscriptionManager } from "../../contracts/subscription_manager.ts";
import type { Case } from "./suite.ts";

/** The number of a behaviour of stream managers. */
export type StreamBehaviour =
  | "S1"
  | "S2"
  | "S3"
  | "S4"
  | "S5"
  | "S6"
  | "S7"
  | "S8"
  | "S9"
  | "S10"
  | "S11"
  | "S12"
  | "S13";

/** What `testStreamSessionManager` tests: `close` is for S13. */
export interface TestableStreamSessionManager extends StreamSessionManager {
  /** Closes every stream and refuses new ones. */
  close?(): void | Promise<void>;
}

/**
 * The options that the suite passes to a factory: a small `backlog` and
 * `onEvict` for S10, a short `keepAliveMs` for S11, and `maxSessions` for S12.
 */
export interface StreamLimits
  extends
    Pick<StreamOptions, "backlog" | "keepAliveMs" | "maxSessions">,
    Pick<StreamEventOptions, "onEvict"> {}

/** One test of the stream suite. */
export type StreamCase = Case<
  TestableStreamSessionManager,
  StreamLimits,
  StreamBehaviour
>;

/** The number of a behaviour of info managers. */
export type InfoBehaviour =
  | "I1"
  | "I2"
  | "I3"
  | "I4"
  | "I5"
  | "I6"
  | "I7"
  | "I8"
  | "I9"
  | "I10"
  | "I11"
  | "L2"
  | "L3";

/** What `testInfoSessionManager` tests: the methods for data are for I11. */
export type TestableInfoSessionManager =
  & InfoSessionManager
  & Partial<SessionData>;

/**
 * The options that the suite passes to a factory: a short `idleTimeoutMs` and
 * `maxSessions` for I8, `maxDataBytes` for I11, and low limits for L2 and L3.
 */
export interface InfoLimits extends
  Pick<
    InfoOptions,
    | "idleTimeoutMs"
    | "maxSessions"
    | "maxDataBytes"
    | "maxSubscriptionsPerSession"
    | "maxUriBytes"
    | "maxClientInfoBytes"
    | "maxCapabilitiesBytes"
  > {}

/** One test of the metadata suite. */
export type InfoCase = Case<
  TestableInfoSessionManager,
  InfoLimits,
  InfoBehaviour
>;

/** The number of a behaviour of subscription managers. */
export type SubscriptionBehaviour =
  | "U1"
  | "U2"
  | "U3"
  | "U4"
  | "U5"
  | "U6"
  | "U7"
  | "U8"
  | "L4";

/**
 * The options that the suite passes to a factory: a short `closeTimeoutMs` for
 * U6, and low limits for L4.
 */
export interface SubscriptionLimits extends
  Pick<
    SubscriptionOptions,
    "closeTimeoutMs" | "maxPerOrigin" | "maxUris" | "maxUriBytes"
  > {}

/** One test of the subscription suite. */
export type SubscriptionCase = Case<
  SubscriptionManager,
  SubscriptionLimits,
  SubscriptionBehaviour
>;

/** The number of a behaviour of a whole `Sessions`. */
export type SessionsBehaviour =
  | "H1"
  | "H2"
  | "H3"
  | "H4"
  | "H5"
  | "H6"
  | "H7"
  | "H8"
  | "H9"
  | "H10"
  | "H11"
  | "H12"
  | "H13"
  | "H14"
  | "H15"
  | "P1"
  | "P2"
  | "P8"
  | "P9"
  | "P10"
  | "I8"
  | "S10"
  | "S12"
  | "S13"
  | "S14"
  | "S15"
  | "S16"
  | "S17"
  | "S18"
  | "S19"
  | "L3"
  | "L5"
  | "L6"
  | "L7"
  | "L8"
  | "L9"
  | "O1"
  | "O2"
  | "O3"
  | "O4"
  | "O5";

/** The options that the suite passes to a factory. */
export interface SessionsLimits extends SessionsOptions {
  /** Another node that the new one must share its sessions with, for H7. */
  readonly beside?: Sessions;
}

/** One test of the suite for a whole `Sessions`. */
export type SessionsCase = Case<Sessions, SessionsLimits, SessionsBehaviour>;

/** The number of a behaviour of nodes that share their sessions. */
export type ClusterBehaviour =
  | "C1"
  | "C2"
  | "C3"
  | "C4"
  | "C5"
  | "C6"
  | "C8"
  | "C9"
  | "C10"
  | "C11"
  | "C12"
  | "C13"
  | "C14"
  | "C15"
  | "C16"
  | "P4"
  | "P5"
  | "P6"
  | "P7"
  | "S19"
  | "H15"
  | "O1"
  | "O2"
  | "O3"
  | "O4"
  | "O5";
