import type { KnownFailure } from "./results.ts";

const GUARDED = ["guarded", "replay"];

/** The checks that the official SDK alone fails, and why. */
export const SDK_KNOWN_FAILURES: readonly KnownFailure[] = [
  {
    check: "dns-rebinding-protection: localhost-host-rebinding-rejected",
    outcome: "fail",
    reason:
      "The SDK leaves the headers Host and Origin to the server around its transports; the options of its transports for them are deprecated.",
    passesWith: [],
  },
  {
    check: "server-sse-polling: server-sse-priming-event",
    outcome: "warn",
    reason:
      "The SDK sends no such event to the client of this scenario. The guard does, with a name, which any client ignores.",
    passesWith: ["handled"],
  },
  {
    check: "server-sse-polling: server-sse-retry-field",
    outcome: "warn",
    reason: "The SDK sends `retry` only with such an event.",
    passesWith: [],
  },
];

/**
 * The checks that tmcp alone fails, and why. `deno task conformance` compares
 * this list with its results.
 */
export const KNOWN_FAILURES: readonly KnownFailure[] = [
  {
    check: "dns-rebinding-protection: localhost-host-rebinding-rejected",
    outcome: "fail",
    reason:
      "tmcp compares Origin with the origin of the request's URL, which runtimes take from Host. A page whose host name resolves to 127.0.0.1 sends the same value in both, and gets in whatever `allowedOrigins` says.",
    passesWith: [],
  },
  {
    check: "server-session-lifecycle: server-session-terminated-returns-404",
    outcome: "fail",
    reason: "tmcp adopts every session ID, so it answers 200 to a deleted one.",
    passesWith: GUARDED,
  },
  {
    check: "server-sse-polling: server-sse-priming-event",
    outcome: "warn",
    reason:
      "tmcp gives no IDs to the events of responses to POST. The guard does, with `replay`.",
    passesWith: ["replay"],
  },
  {
    check: "server-sse-polling: server-sse-retry-field",
    outcome: "warn",
    reason:
      "tmcp writes no `retry` into responses to POST, and the guard leaves them unchanged.",
    passesWith: [],
  },
  {
    check: "server-stateless: sep-2575-request-meta-invalid-missing-meta",
    outcome: "fail",
    reason:
      "tmcp compares the header with `_meta` before it checks that `_meta` exists: -32020 instead of -32602.",
    passesWith: [],
  },
  {
    check:
      "server-stateless: sep-2575-request-meta-invalid-missing-protocol-version",
    outcome: "fail",
    reason:
      "tmcp compares the header with `_meta` before it checks that the version exists: -32020 instead of -32602.",
    passesWith: [],
  },
  {
    check: "server-stateless: sep-2575-http-server-meta-invalid-400",
    outcome: "fail",
    reason:
      "tmcp notices the missing `clientCapabilities` only after it has begun to answer with 200; the error is in the stream.",
    passesWith: [],
  },
  {
    check: "server-stateless: sep-2575-missing-capability-http-400",
    outcome: "fail",
    reason:
      "tmcp notices the missing capability when the tool sends its request, after it has begun to answer with 200.",
    passesWith: [],
  },
];
