/** The parameters of an `initialize` request that this package stores. */
export interface InitializeParams {
  readonly clientInfo?: unknown;
  readonly capabilities?: unknown;
}

/** Where a request of the per-request era names its revision. */
const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

/**
 * Returns the parameters of an `initialize` request; undefined for other
 * messages. The SDK also accepts a batch of one message.
 */
export function initializeParams(body: unknown): InitializeParams | undefined {
  const message = Array.isArray(body) && body.length === 1 ? body[0] : body;
  const { method, params } = asObject(message);
  return method === "initialize" ? asObject(params) : undefined;
}

/** Returns whether a message says itself that it has no session. */
export function isPerRequestMessage(body: unknown): boolean {
  const { _meta } = asObject(asObject(body).params);
  return VERSION_KEY in asObject(_meta);
}

/** Returns a value if it is an object, or an empty object. */
export function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null
    ? value as Record<string, unknown>
    : {};
}
