/** How many sessions are in one command. */
export const SESSIONS_PER_COMMAND = 1_000;
