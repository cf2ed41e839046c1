/** Whom a text is for: one session, several, or everyone. */
export type Recipients = string | ReadonlySet<string> | undefined;
