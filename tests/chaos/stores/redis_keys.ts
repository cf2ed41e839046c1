/** How long keys may live by the table in docs/redis.md, in milliseconds. */
const DAY_MS = 86_400_000;
const SESSION_MS = 7_200_000 * 1.1;
const REPLAY_MS = 300_000;
const LIMITS: readonly [RegExp, number][] = [
  [/^\{mcp\}:1:s:/, SESSION_MS],
  [/^\{mcp\}:1:u:/, 30 * DAY_MS],
  [/^\{mcp\}:1:(p:|principals$)/, SESSION_MS + DAY_MS],
  [/^\{mcp\}:1:(log|events|again)$/, DAY_MS],
  [/^\{mcp\}:1:n:/, DAY_MS],
  [/^\{mcp\}:1:[erv]:/, REPLAY_MS],
  [/^\{mcp\}:format$/, 60_000],
];

/** Runs a command. */
type Command = (...args: string[]) => Promise<unknown>;

/** Returns which keys have no expiry, a longer one, or another prefix. */
export async function inspectKeys(command: Command): Promise<string[]> {
  const problems: string[] = [];
  for (const key of await command("KEYS", "*") as string[]) {
    const limit = LIMITS.find(([pattern]) => pattern.test(key))?.[1];
    if (limit === undefined) {
      problems.push(`the key "${key}" is not in the documentation`);
      continue;
    }
    const ttl = await command("PTTL", key) as number;
    // It has expired meanwhile.
    if (ttl === -2) continue;
    if (ttl < 0 || ttl > limit) {
      problems.push(`the key "${key}" expires in ${ttl} ms`);
    }
  }
  return problems;
}
