import { assertHosting, type SessionHosting } from "../contracts/hosting.ts";
import {
  assertKnownOptions,
  type OptionNames,
} from "../contracts/known_options.ts";
import { objectOption } from "../contracts/resolve_options.ts";
import type { Sessions } from "../contracts/sessions.ts";
import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import type {
  CreateMcpHandler,
  SdkAuthInfo,
  SdkServer,
  SdkTransport,
  SdkTransportClass,
} from "./sdk_types.ts";

/** What `createServer` is called with. */
export interface SdkServerContext {
  /**
   * The session that the server is for; undefined for a request of the
   * per-request era, which has its own server.
   */
  readonly sessionId: string | undefined;
  /** The authenticated user, as passed to `fetch`. */
  readonly principal: string | undefined;
  /** What is known of the caller, as passed to `fetch`. */
  readonly authInfo: SdkAuthInfo | undefined;
}

/** Options of {@linkcode createSdkHandler}. */
export interface SdkHandlerOptions<
  Transport extends SdkTransport = SdkTransport,
> {
  /** The sessions, of any backend of this package. They can have one handler. */
  readonly sessions: Sessions;
  /**
   * Creates the server of a session, a new one at each call. Its tools and
   * resources should not depend on earlier requests: if the node of a session
   * dies, another one creates its server again.
   */
  readonly createServer: (
    context: SdkServerContext,
  ) => SdkServer<Transport> | Promise<SdkServer<Transport>>;
  /** `WebStandardStreamableHTTPServerTransport` of the SDK, 1.x or 2.x. */
  readonly Transport: SdkTransportClass<Transport>;
  /**
   * `createMcpHandler` of the SDK 2.x. It answers requests of 2026-07-28 and
   * later.
   *
   * @default undefined such requests get 400, so that clients use sessions
   */
  readonly createMcpHandler?: CreateMcpHandler | undefined;
  /**
   * Returns the ID of a new session: 1 to 256 characters of visible ASCII, that
   * nobody can guess.
   *
   * @default crypto.randomUUID
   */
  readonly generateSessionId?: (() => string) | undefined;
  /**
   * Whether responses are JSON instead of event streams. They cannot be resumed
   * then, and tools cannot ask the client anything.
   *
   * @default false
   */
  readonly enableJsonResponse?: boolean | undefined;
}

/** Options of `fetch` of an {@linkcode SdkHandler}. */
export interface SdkFetchOptions {
  /**
   * The authenticated user, for example the subject of a verified access token;
   * up to 1,024 characters. A session belongs to the user that began it. For
   * all others it looks like an unknown session.
   *
   * @default undefined all clients count as the same user
   */
  readonly principal?: string | undefined;
  /**
   * What is known of the caller. The server's tools get it.
   *
   * @default undefined nothing
   */
  readonly authInfo?: SdkAuthInfo | undefined;
  /**
   * The body, if it was read and parsed already, for example by
   * `express.json()`.
   *
   * @default undefined the body is read from the request
   */
  readonly parsedBody?: unknown;
}

/** The counters of an `SdkHandler`. They start at 0. */
export interface SdkHandlerStats {
  /** How many servers of sessions this node holds now. */
  readonly hosted: number;
  /** How many sessions began here. */
  readonly begun: number;
  /**
   * How many sessions this node has taken over: the node that held the server
   * was gone, or drained.
   */
  readonly rebuilt: number;
  /** How many requests this node has handed to other nodes. */
  readonly forwarded: number;
}

const HANDLER_OPTIONS: OptionNames = {
  sessions: true,
  createServer: true,
  Transport: true,
  createMcpHandler: true,
  generateSessionId: true,
  enableJsonResponse: true,
};
const FETCH_OPTIONS: OptionNames = {
  principal: true,
  authInfo: true,
  parsedBody: true,
};

/**
 * Validates the options of `createSdkHandler`.
 *
 * @returns What the handler needs to know about the sessions.
 * @throws {InvalidArgumentError} If an option is invalid.
 */
export function assertHandlerOptions(
  options: SdkHandlerOptions,
): SessionHosting {
  const given = objectOption("options", options);
  // The options of these are not options of the handler.
  assertKnownOptions(given, HANDLER_OPTIONS);
  assertFunction("createServer", given.createServer);
  assertFunction("Transport", given.Transport);
  for (const name of ["createMcpHandler", "generateSessionId"] as const) {
    if (given[name] !== undefined) assertFunction(name, given[name]);
  }
  return assertHosting(given.sessions);
}

/**
 * Validates the options of `fetch`.
 *
 * @throws {InvalidArgumentError} If an option is unknown.
 */
export function assertFetchOptions(options: SdkFetchOptions): void {
  assertKnownOptions(objectOption("options", options), FETCH_OPTIONS);
}

function assertFunction(name: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new InvalidArgumentError(
    name,
    `"${name}" must be ${EXPECTED[name]}, but got ${formatValue(value)}.`,
  );
}

const EXPECTED: Readonly<Record<string, string>> = {
  createServer: "a function that returns a server of the official SDK",
  Transport:
    "the class WebStandardStreamableHTTPServerTransport of the official SDK",
  createMcpHandler: "the function of that name of the official SDK",
  generateSessionId: "a function that returns a session ID",
};
