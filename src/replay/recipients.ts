/**
 * The recipients of a frame: one session, several, or everyone (`undefined`).
 */
export type Recipients = string | ReadonlySet<string> | undefined;
