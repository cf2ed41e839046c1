import { assertString } from "../runtime/assert_string.ts";
import type { GuardOptions, Respond } from "../contracts/guarding.ts";
import {
  assertKnownOptions,
  GUARD_OPTIONS,
} from "../contracts/known_options.ts";
import { objectOption } from "../contracts/resolve_options.ts";
import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";

/**
 * Validates the arguments of `guard`.
 *
 * @throws {InvalidArgumentError} If an argument is invalid.
 */
export function assertGuardArguments(
  request: Request,
  respond: Respond,
  options: GuardOptions,
): void {
  if (!isWebRequest(request)) {
    throw new InvalidArgumentError(
      "request",
      `"request" must be a web Request, but got ${formatValue(request)}. ` +
        "For node:http, Express and Fastify, use an adapter such as " +
        "toNodeHandler of @crossmcp/session-manager/node. With Hono, pass " +
        "c.req.raw.",
    );
  }
  if (typeof respond !== "function") {
    throw new InvalidArgumentError(
      "respond",
      `"respond" must be a function that answers a request, but got ` +
        `${formatValue(respond)}. Pass ` +
        "(request) => transport.respond(request).",
    );
  }
  const { principal } = objectOption("options", options);
  assertKnownOptions(options, GUARD_OPTIONS);
  if (principal !== undefined) assertString("principal", principal);
}

/** Requests of polyfills and of other realms are not instances of `Request`. */
function isWebRequest(value: unknown): value is Request {
  const { url, method, headers } = (value ?? {}) as Partial<Request>;
  return typeof url === "string" && typeof method === "string" &&
    typeof headers?.get === "function";
}
