/**
 * The notifications that `subscriptions/listen` streams can ask for
 * (2026-07-28).
 */
export const LISTENABLE = {
  tools: "notifications/tools/list_changed",
  prompts: "notifications/prompts/list_changed",
  resources: "notifications/resources/list_changed",
  /** A single resource has changed. */
  resource: "notifications/resources/updated",
} as const;

/** Their methods. */
export const LISTENABLE_METHODS: readonly string[] = Object.values(LISTENABLE);
