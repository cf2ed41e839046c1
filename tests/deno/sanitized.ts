import type { SubscriptionCallbacks } from "@crossmcp/session-manager";

/** The options of a `Deno.test` with all sanitizers. */
export const sanitized = {
  sanitizeOps: true,
  sanitizeResources: true,
  sanitizeExit: true,
};

/** A subscriber that ignores what it gets. */
export const quiet: SubscriptionCallbacks = {
  acknowledge: () => {},
  send: () => {},
  close: () => {},
};
