import type {
  Subscription,
  SubscriptionCallbacks,
} from "../contracts/subscription_manager.ts";
import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import type { JSONRPCNotification } from "../protocol/mcp_types.ts";

/** Throws if a value is not a notification. */
export function assertNotification(
  notification: JSONRPCNotification | undefined,
): void {
  if (typeof notification?.method === "string") return;
  throw new InvalidArgumentError(
    "notification",
    '"notification" must be an object with a "method", but got ' +
      `${formatValue(notification)}.`,
  );
}

/** Throws if a subscription is invalid. */
export function assertSubscription(value: Subscription): void {
  const { id, origin, filters } = value ?? {};
  const uris = filters?.resourceSubscriptions;
  const wrong = typeof id !== "string" && !Number.isFinite(id)
    ? ["id", "a string or a number", id]
    : typeof origin !== "string"
    ? ["origin", "a string", origin]
    : typeof filters !== "object" || filters === null
    ? ["filters", "an object", filters]
    : uris !== undefined &&
        !(Array.isArray(uris) && uris.every((uri) => typeof uri === "string"))
    ? ["filters.resourceSubscriptions", "an array of strings", uris]
    : undefined;
  if (wrong === undefined) return;
  const [field, expected, found] = wrong;
  throw new InvalidArgumentError(
    `subscription.${field}`,
    `"subscription.${field}" must be ${expected}, but got ${
      formatValue(found)
    }.`,
  );
}

/** Throws if the callbacks of a subscription are invalid. */
export function assertCallbacks(value: SubscriptionCallbacks): void {
  for (const name of ["acknowledge", "send", "close"] as const) {
    if (typeof value?.[name] !== "function") {
      throw new InvalidArgumentError(
        `callbacks.${name}`,
        `"callbacks.${name}" must be a function, but got ` +
          `${formatValue(value?.[name])}.`,
      );
    }
  }
}
