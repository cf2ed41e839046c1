import {
  type EndTarget,
  formatSseEvent,
  type InMemorySessions,
  type NotifyTarget,
  type ServerNotification,
  type SessionsStats,
  type SessionSummary,
} from "@crossmcp/session-manager";
import { type CreateFaulty, withFault, withOptions } from "./faulty.ts";

type Notify = (
  notification: ServerNotification,
  to?: NotifyTarget,
) => Promise<void>;

/** Wraps `notify`. */
function withNotify(
  notify: (
    next: Notify,
    call: Parameters<Notify>,
    sessions: InMemorySessions,
  ) => Promise<void>,
): CreateFaulty {
  return withFault((sessions) => {
    const next: Notify = sessions.notify.bind(sessions);
    const wrapped: Notify = (...call) => notify(next, call, sessions);
    sessions.notify = wrapped as InMemorySessions["notify"];
  });
}

/** Wraps `end`. */
function withEnd(
  end: (
    next: InMemorySessions["end"],
    target: EndTarget,
    sessions: InMemorySessions,
  ) => Promise<number>,
): CreateFaulty {
  return withFault((sessions) => {
    const next = sessions.end.bind(sessions);
    sessions.end = (target) => end(next, target, sessions);
  });
}

/** Wraps what `list` returns. */
function withList(
  change: (
    sessions: AsyncIterable<SessionSummary>,
  ) => AsyncIterable<SessionSummary>,
): CreateFaulty {
  return withFault((sessions) => {
    const list = sessions.list.bind(sessions);
    sessions.list = (options) => change(list(options));
  });
}

/** Wraps what `stats` returns. */
function withStats(
  change: (stats: SessionsStats) => SessionsStats,
): CreateFaulty {
  return withFault((sessions) => {
    const stats = sessions.stats.bind(sessions);
    sessions.stats = () => change(stats());
  });
}

/** Sends a notification to all streams. */
async function toAllStreams(
  { streams }: InMemorySessions,
  { method, params }: ServerNotification,
): Promise<void> {
  const data = JSON.stringify({ jsonrpc: "2.0", method, params });
  await streams.send(undefined, formatSseEvent({ event: "message", data }));
}

/** Sessions with one fault each in operation, by the name of the fault. */
export const brokenOperations: Record<string, CreateFaulty> = {
  "lets other notifications overtake those to a principal": withNotify(
    async (next, [notification, to]) => {
      if (to && "principal" in to) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await next(notification, to);
    },
  ),
  "notifies each client twice": withNotify(async (next, call) => {
    await next(...call);
    await next(...call);
  }),
  "notifies every session of every resource": withNotify(
    async (next, [notification, to], sessions) => {
      if (notification?.method !== "notifications/resources/updated" || to) {
        return await next(notification, to);
      }
      await next(notification, { sessions: [] });
      await toAllStreams(sessions, notification);
      await sessions.subscriptions.send({ ...notification, jsonrpc: "2.0" });
    },
  ),
  "notifies everyone instead of a principal": withNotify(
    (next, [notification, to]) =>
      next(notification, to && "principal" in to ? undefined : to),
  ),
  "notifies no subscriptions": withNotify(
    async (next, [notification, to], sessions) => {
      if (notification?.method !== "notifications/tools/list_changed" || to) {
        return await next(notification, to);
      }
      await toAllStreams(sessions, notification);
    },
  ),
  "sends anything as a notification": withNotify((next, call) =>
    next(...call).catch(() => {})
  ),
  "counts an ended principal as one session": withEnd(
    async (next, target) => Math.min(await next(target), 1),
  ),
  "ends the sessions of everyone": withEnd(async (next, target) => {
    const count = await next(target);
    for (const principal of ["alice", "bob", ""]) await next({ principal });
    return count;
  }),
  "ends only the metadata of a session": withEnd(
    async (next, target, { info }) => {
      if (typeof (target as { session?: unknown })?.session !== "string") {
        return await next(target);
      }
      const { session } = target as { readonly session: string };
      try {
        await info.getClientInfo(session);
      } catch {
        return 0;
      }
      await info.delete(session);
      return 1;
    },
  ),
  "ends nothing for an invalid target": withEnd((next, target) =>
    next(target).catch(() => 0)
  ),
  "lists a session twice": withList(async function* (sessions) {
    let first: SessionSummary | undefined;
    for await (const summary of sessions) {
      yield summary;
      first ??= summary;
    }
    if (first !== undefined) yield first;
  }),
  "lists only the first page": withList(async function* (sessions) {
    let count = 0;
    for await (const summary of sessions) {
      if (++count <= 1_000) yield summary;
    }
  }),
  "lists no unread bytes": withList(async function* (sessions) {
    for await (const summary of sessions) yield { ...summary, queuedBytes: 0 };
  }),
  "lists everyone instead of a principal": withFault((sessions) => {
    const list = sessions.list.bind(sessions);
    sessions.list = (options) => {
      const checked = list(options);
      return options?.limit === undefined ? list() : checked;
    };
  }),
  "does not report that a session has begun": withOptions((
    { onBegin: _, ...options },
  ) => options),
  "does not report that a session has ended": withOptions((
    { onEnd: _, ...options },
  ) => options),
  "gives every end the same reason": withOptions(({ onEnd, ...options }) => ({
    ...options,
    onEnd: (id) => onEnd?.(id, "deleted"),
  })),
  "reports every end twice": withOptions(({ onEnd, ...options }) => ({
    ...options,
    onEnd: (...end) => {
      const results: unknown[] = [onEnd?.(...end), onEnd?.(...end)];
      return Promise.all(results) as unknown as void;
    },
  })),
  "counts every end twice": withStats((stats) => {
    const { deleted, ended, ...others } = stats.ended;
    const twice = { deleted: deleted * 2, ended: ended * 2, ...others };
    return { ...stats, ended: twice };
  }),
  "counts sessions that have ended as known": withStats((stats) => ({
    ...stats,
    sessions: stats.begun,
  })),
  "counts only the subscriptions of one era": withStats((stats) => ({
    ...stats,
    subscriptions: { ...stats.subscriptions, resources: 0 },
  })),
  "ignores the errors of callbacks": withOptions(
    ({ onBegin, onEnd, ...options }) => ({
      ...options,
      onBegin: ignoringErrors(onBegin),
      onEnd: ignoringErrors(onEnd),
    }),
  ),
};

/** Wraps a callback so that it does not fail. */
function ignoringErrors<Args extends unknown[]>(
  callback: ((...args: Args) => unknown) | undefined,
): (...args: Args) => void {
  return async (...args) => {
    try {
      await callback?.(...args);
    } catch {
      // This is the fault.
    }
  };
}
