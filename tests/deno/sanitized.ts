import type { SubscriptionCallbacks } from "@crossmcp/session-manager";

/** What a test of Deno's has to be given for all sanitizers to watch it. */
export const sanitized = {
  sanitizeOps: true,
  sanitizeResources: true,
  sanitizeExit: true,
};

/** A subscriber that takes everything. */
export const quiet: SubscriptionCallbacks = {
  acknowledge: () => {},
  send: () => {},
  close: () => {},
};
