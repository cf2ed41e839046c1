import { DeliveryError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import { formatSseEvent } from "../protocol/sse.ts";
import { sessionIdOf } from "../replay/request_key.ts";
import { LruMap } from "../runtime/lru_map.ts";

/** How many replacements in a row are normal: a client on a bad network. */
const FREE_REPLACEMENTS = 10;
/** Replacements this far apart, in milliseconds, do not belong together. */
const CALM_MS = 10_000;
/** The first value of `retry`, in milliseconds, and the largest. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
/** The value of `retry` once the replacements have stopped. */
const NORMAL_RETRY_MS = 1_000;
/** How many sessions are watched. */
const MAX_SESSIONS = 10_000;

const encoder = new TextEncoder();

/** The recent replacements of a session's stream. */
interface Replacements {
  readonly count: number;
  readonly lastAt: number;
}

/**
 * Slows down clients that use the same session: each new stream replaces the
 * other client's, which reconnects, and so on without end. From the eleventh
 * replacement within seconds, each stream starts with a `retry` field that
 * grows, so that its client reconnects later (HTML standard, 9.2.6).
 */
export class ReplacementBrake {
  readonly #sessions: LruMap<string, Replacements> = new LruMap(MAX_SESSIONS);

  /**
   * Records that a newer stream has replaced that of a session.
   *
   * @returns What to report, if this is the first one too many.
   */
  record(id: string): DeliveryError | undefined {
    // The scheduler's clock stands still without periodic work.
    const now = Date.now();
    const known = this.#sessions.get(id);
    const isFirst = known === undefined || isOver(known, now);
    const count = isFirst ? 1 : known.count + 1;
    this.#sessions.set(id, { count, lastAt: now });
    return count === FREE_REPLACEMENTS + 1
      ? errorFor(sessionIdOf(id))
      : undefined;
  }

  /**
   * Returns what a new stream of a session starts with: a `retry` field while
   * its clients replace each other's streams, and another one when that is
   * over.
   */
  start(id: string): Uint8Array<ArrayBuffer>[] {
    const known = this.#sessions.get(id);
    if (known === undefined) return [];
    const retryMs = retryOf(known);
    if (!isOver(known, Date.now())) {
      return retryMs === 0 ? [] : [retryField(retryMs)];
    }
    this.#sessions.delete(id);
    return retryMs === 0 ? [] : [retryField(NORMAL_RETRY_MS)];
  }
}

/** Returns the value of `retry`; 0 while the replacements are normal. */
function retryOf({ count }: Replacements): number {
  const extra = count - FREE_REPLACEMENTS;
  if (extra <= 0) return 0;
  return Math.min(FIRST_RETRY_MS * 2 ** (extra - 1), MAX_RETRY_MS);
}

function isOver(replacements: Replacements, now: number): boolean {
  // Clients that honor the delay need that long to reconnect.
  return now - replacements.lastAt > CALM_MS + 2 * retryOf(replacements);
}

function retryField(retryMs: number): Uint8Array<ArrayBuffer> {
  return encoder.encode(formatSseEvent({ retry: retryMs }));
}

function errorFor(sessionId: string): DeliveryError {
  return new DeliveryError(
    `The streams of session ${formatValue(sessionId)} keep replacing each ` +
      "other: several clients use this session, or one client opens several " +
      "streams. Each new stream now delays the next reconnect (`retry`). Let " +
      "each client begin its own session.",
    { sessionId },
  );
}
