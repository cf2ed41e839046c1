/** Whom a text is for: one session, several, or everyone. */
export type Targets = string | ReadonlySet<string> | undefined;
