import { InvalidArgumentError } from "../errors.ts";

/** The names of options: `true` for a value, or the options of a group. */
export interface OptionNames {
  readonly [name: string]: true | OptionNames;
}

const CALLBACKS = { onError: true, onEvict: true, onReset: true } as const;
const STREAMS = {
  backlog: { maxBytes: true, maxAgeMs: true },
  keepAliveMs: true,
  coalesce: true,
  replay: { maxEvents: true, maxBytes: true, maxAgeMs: true, maxShare: true },
  maxSessions: true,
} as const;
const INFO = {
  idleTimeoutMs: true,
  maxSessions: true,
  maxSessionsPerPrincipal: true,
  maxSubscriptionsPerSession: true,
  maxUriBytes: true,
  maxClientInfoBytes: true,
  maxCapabilitiesBytes: true,
  maxDataBytes: true,
} as const;
const SUBSCRIPTIONS = {
  closeTimeoutMs: true,
  maxAgeMs: true,
  maxPerOrigin: true,
  maxUris: true,
  maxUriBytes: true,
} as const;

/** The options of nodes, which every backend with several nodes has. */
export const CLUSTER_OPTIONS: OptionNames = {
  cluster: { node: true, heartbeatMs: true, requestTimeoutMs: true },
};
/** The options of a `…Sessions` object. */
export const SESSIONS_OPTIONS: OptionNames = {
  streams: STREAMS,
  info: INFO,
  subscriptions: SUBSCRIPTIONS,
  http: {
    maxBodyBytes: true,
    maxRequestsPerSession: true,
    maxStreamsPerPrincipal: true,
    maxNewSessionsPerSecond: true,
    bodyTimeoutMs: true,
  },
  onRefuse: true,
  ...CALLBACKS,
  onBegin: true,
  onEnd: true,
};
/** The options of a stream manager. */
export const STREAM_OPTIONS: OptionNames = { ...STREAMS, ...CALLBACKS };
/** The options of an info manager. */
export const INFO_OPTIONS: OptionNames = {
  ...INFO,
  streams: true,
  onError: true,
};
/** The options of a subscription manager. */
export const SUBSCRIPTION_OPTIONS: OptionNames = {
  ...SUBSCRIPTIONS,
  onError: true,
};
/** The options of `close`. */
export const CLOSE_OPTIONS: OptionNames = { drainMs: true, retryMs: true };
/** The options of `guard`. */
export const GUARD_OPTIONS: OptionNames = { principal: true };

/** What options were called in earlier versions. */
const FORMER_NAMES: Readonly<Record<string, string>> = {
  answerMs: "requestTimeoutMs",
  beatMs: "heartbeatMs",
  deadlineMs: "closeTimeoutMs",
  idleMs: "idleTimeoutMs",
};

/**
 * Throws if an options object, or a group in it, has an option that does not
 * exist.
 *
 * @param options The user's options. Values that are not objects are ignored.
 * @param known The names of all options.
 * @throws {InvalidArgumentError} It names the option, and the one that was
 * probably meant.
 */
export function assertKnownOptions(options: unknown, known: OptionNames): void {
  assertKnown(options, known, "", known);
}

function assertKnown(
  options: unknown,
  known: OptionNames,
  prefix: string,
  all: OptionNames,
): void {
  if (typeof options !== "object" || options === null) return;
  for (const [name, value] of Object.entries(options)) {
    const path = prefix + name;
    const group = Object.hasOwn(known, name) ? known[name] : undefined;
    if (typeof group === "object") assertKnown(value, group, `${path}.`, all);
    if (group !== undefined || value === undefined) continue;
    const suggestion = suggestionFor(path, name, pathsOf(all, ""));
    throw new InvalidArgumentError(
      path,
      `Unknown option "${path}". ${suggestion}`,
    );
  }
}

function suggestionFor(
  path: string,
  name: string,
  paths: readonly string[],
): string {
  const meant = FORMER_NAMES[name] ?? name;
  const elsewhere = paths.filter((known) => lastName(known) === meant);
  const similar = elsewhere.length > 0 ? elsewhere : closest(path, paths);
  return similar.length > 0
    ? `Did you mean ${similar.map((known) => `"${known}"`).join(" or ")}?`
    : `Valid options are: ${siblingsOf(path, paths).join(", ")}.`;
}

/** The options of the same group, or all if there is no group. */
function siblingsOf(path: string, paths: readonly string[]): readonly string[] {
  const group = groupOf(path);
  return group === ""
    ? paths
    : paths.filter((known) => groupOf(known) === group);
}

/** Returns the paths that are most similar, if they are similar enough. */
function closest(path: string, paths: readonly string[]): string[] {
  const name = lastName(path);
  const distances = paths.map((known) => {
    const isSibling = groupOf(known) === groupOf(path);
    const distance = editDistance(
      lastName(known).toLowerCase(),
      name.toLowerCase(),
    );
    // Of equally similar names, one of the same group was meant.
    return { known, distance: distance + (isSibling ? 0 : 0.5) };
  });
  const least = Math.min(...distances.map(({ distance }) => distance));
  if (least > Math.max(2, name.length / 3)) return [];
  return distances.filter(({ distance }) => distance === least)
    .map(({ known }) => known);
}

/** The paths of all options, groups included. */
function pathsOf(known: OptionNames, prefix: string): string[] {
  return Object.entries(known).flatMap(([name, group]) => [
    prefix + name,
    ...(group === true ? [] : pathsOf(group, `${prefix}${name}.`)),
  ]);
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function groupOf(path: string): string {
  return path.slice(0, path.lastIndexOf(".") + 1);
}

/** The Levenshtein distance of two strings. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
