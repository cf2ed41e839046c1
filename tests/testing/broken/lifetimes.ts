import {
  InMemoryInfoSessionManager,
  InMemorySessions,
} from "@crossmcp/session-manager";
import { configured, type Faulty, faulty } from "./faulty.ts";
import { NOTHING_COUNTED } from "../../support/empty_stats.ts";

/** Sessions with one fault each in how they end. */
export const brokenLifetimes: Record<string, Faulty> = {
  "keeps sessions for ever": configured((options) => ({
    ...options,
    info: { ...options.info, idleTimeoutMs: Infinity },
  })),
  "forgets sessions with an open stream": (options) => {
    class Sessions extends InMemorySessions {
      override readonly info = new InMemoryInfoSessionManager(options.info);
    }
    return new Sessions(options);
  },
  "has no limit for sessions": configured(({ info, ...options }) => ({
    ...options,
    info: { idleTimeoutMs: info?.idleTimeoutMs },
  })),
  "has no limit for streams": configured((options) => ({
    ...options,
    streams: { ...options.streams, maxSessions: Infinity },
  })),
  "evicts nobody": configured((options) => ({
    ...options,
    streams: { ...options.streams, backlog: false },
  })),
  "evicts in silence": configured(({ onEvict: _, ...options }) => options),
  "counts nothing": faulty((sessions) => {
    sessions.stats = () => NOTHING_COUNTED;
  }),
  "drains at once": faulty((sessions) => {
    const close = sessions.close.bind(sessions);
    sessions.close = () => close();
  }),
  "drains all together": faulty((sessions) => {
    const close = sessions.close.bind(sessions);
    sessions.close = async ({ drainMs = 0 } = {}) => {
      const waitMs = Math.min(drainMs, 500);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      await close();
    };
  }),
  "drains in silence": faulty((sessions) => {
    const close = sessions.close.bind(sessions);
    sessions.close = (options) => close({ ...options, retryMs: undefined });
  }),
  "drains to the end": faulty((sessions) => {
    const close = sessions.close.bind(sessions);
    let draining: Promise<void> | undefined;
    sessions.close = (options) => {
      if (!options?.drainMs) return draining ?? close(options);
      // The tests have ended by then.
      setTimeout(() => close(), 5_000);
      return draining ??= close(options);
    };
  }),
  "refuses everything while it drains": faulty((sessions) => {
    const close = sessions.close.bind(sessions);
    sessions.close = async (options) => {
      await sessions.info.close();
      await close(options);
    };
  }),
  "is not disposed of": faulty((sessions) => {
    sessions[Symbol.asyncDispose] = () => Promise.resolve();
  }),
  "leaves subscriptions open": faulty((sessions) => {
    const { streams, info } = sessions;
    sessions.close = async (options) => {
      await streams.close(options);
      await info.close();
    };
  }),
};
