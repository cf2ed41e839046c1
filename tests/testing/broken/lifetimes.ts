import {
  InMemoryInfoSessionManager,
  InMemorySessions,
} from "@crossmcp/session-manager";
import { type CreateFaulty, withFault, withOptions } from "./faulty.ts";
import { EMPTY_STATS } from "../../support/empty_stats.ts";

/** Sessions with one fault each in expiry, limits or close. */
export const brokenLifetimes: Record<string, CreateFaulty> = {
  "never expires a session": withOptions((options) => ({
    ...options,
    info: { ...options.info, idleTimeoutMs: Infinity },
  })),
  "expires sessions with an open stream": (options) => {
    class Sessions extends InMemorySessions {
      override readonly info = new InMemoryInfoSessionManager(options.info);
    }
    return new Sessions(options);
  },
  "ignores the limit of sessions": withOptions(({ info, ...options }) => ({
    ...options,
    info: { idleTimeoutMs: info?.idleTimeoutMs },
  })),
  "ignores the limit of streams": withOptions((options) => ({
    ...options,
    streams: { ...options.streams, maxSessions: Infinity },
  })),
  "never evicts": withOptions((options) => ({
    ...options,
    streams: { ...options.streams, backlog: false },
  })),
  "does not report evictions": withOptions(({ onEvict: _, ...options }) =>
    options
  ),
  "reports empty stats": withFault((sessions) => {
    sessions.stats = () => EMPTY_STATS;
  }),
  "ignores drainMs": withFault((sessions) => {
    const close = sessions.close.bind(sessions);
    sessions.close = () => close();
  }),
  "waits instead of draining": withFault((sessions) => {
    const close = sessions.close.bind(sessions);
    sessions.close = async ({ drainMs = 0 } = {}) => {
      const waitMs = Math.min(drainMs, 500);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      await close();
    };
  }),
  "drains without a retry field": withFault((sessions) => {
    const close = sessions.close.bind(sessions);
    sessions.close = (options) => close({ ...options, retryMs: undefined });
  }),
  "ignores close during a drain": withFault((sessions) => {
    const close = sessions.close.bind(sessions);
    let draining: Promise<void> | undefined;
    sessions.close = (options) => {
      if (!options?.drainMs) return draining ?? close(options);
      // Cleans up, after the longest timeout of a test.
      setTimeout(() => close(), 20_000);
      return draining ??= close(options);
    };
  }),
  "rejects all requests during a drain": withFault((sessions) => {
    const close = sessions.close.bind(sessions);
    sessions.close = async (options) => {
      await sessions.info.close();
      await close(options);
    };
  }),
  "does not close when disposed": withFault((sessions) => {
    sessions[Symbol.asyncDispose] = () => Promise.resolve();
  }),
  "leaves subscriptions open after close": withFault((sessions) => {
    const { streams, info } = sessions;
    sessions.close = async (options) => {
      await streams.close(options);
      await info.close();
    };
  }),
};
