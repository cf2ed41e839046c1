import type { ReplayOptions } from "@crossmcp/session-manager";
import {
  type CreateFaulty,
  withFault,
  withGetHeaders,
  withGuard,
  withOptions,
  withSend,
  withStreamText,
} from "./faulty.ts";
import { sessionRegistryOf } from "../../../src/metadata/stored_info_session_manager.ts";

const HEADER = "last-event-id";

/** Sessions with one fault each in replay, by the name of the fault. */
export const brokenReplays: Record<string, CreateFaulty> = {
  "keeps no events": withOptions((options) => ({
    ...options,
    streams: { ...options.streams, replay: false },
  })),
  "keeps only one event": withReplayOptions(() => ({ maxEvents: 1 })),
  "keeps too many events": withReplayOptions((limits) => ({
    ...limits,
    maxEvents: 10_000,
  })),
  "keeps too many bytes": withReplayOptions((limits) => ({
    ...limits,
    maxBytes: 16_777_216,
  })),
  "keeps events for too long": withReplayOptions((limits) => ({
    ...limits,
    maxAgeMs: 300_000,
  })),
  "ignores Last-Event-ID": withGetHeaders((headers) => headers.delete(HEADER)),
  "resets every client that reconnects": withGetHeaders((headers) => {
    if (headers.has(HEADER)) headers.set(HEADER, "nonsense");
  }),
  "replays one event too many": withGetHeaders((headers) =>
    shiftLastEventId(headers, -1)
  ),
  "replays one event too few": withGetHeaders((headers) =>
    shiftLastEventId(headers, 1)
  ),
  "replays targeted frames to other sessions": withFault(({ streams }) => {
    const detached = new Set<string>();
    const send = streams.send.bind(streams);
    const create = streams.create.bind(streams);
    const remove = streams.delete.bind(streams);
    streams.create = (id, controller) => {
      detached.delete(id);
      create(id, controller);
    };
    streams.delete = (id) => {
      detached.add(id);
      remove(id);
    };
    streams.send = (ids, data) => send(ids && [...ids, ...detached], data);
  }),
  "replays events from before the session": withFault(({ info }) => {
    const registry = sessionRegistryOf(info);
    const register = registry.register.bind(registry);
    registry.register = (id, { principal }) =>
      register(id, { principal, startEventId: undefined });
  }),
  "skips missed events without a reset": withGuard(
    async (next, { streams }, request, respond, options) => {
      const count = () => Object.values(streams.stats().resets).join();
      const before = count();
      const response = await next(request, respond, options);
      if (count() === before) return response;
      const headers = new Headers(request.headers);
      headers.delete(HEADER);
      return next(new Request(request.url, { headers }), respond, options);
    },
  ),
  "does not report resets": withOptions(({ onReset: _, ...options }) =>
    options
  ),
  "gives every reset the same reason": withStreamText((text) =>
    text.replace(/"(unknown|future|purged)"/, '"lost"')
  ),
  "resets without an event ID": withStreamText((text) =>
    text.replace(/(event: reset\n)id: .*\n/, "$1")
  ),
  "gives only every other event an ID": withStreamText((text) =>
    text.replace(/^id: [^~\n]*[02468]\n/gm, "")
  ),
  "gives all events the same ID": withStreamText((text) =>
    text.replace(/^(id: .*-)[0-9]+\n/gm, "$11\n")
  ),
  "writes the ID after the event": withStreamText((text) =>
    text.replace(/^(id: .*\n)\n/gm, "\n$1\n")
  ),
  "loses frames that are sent during a reconnect": repeatDuringGet(0),
  "duplicates frames that are sent during a reconnect": repeatDuringGet(2),
  "lets broadcasts overtake targeted sends": withSend((next, ids, data) => {
    if (ids === undefined) next(ids, data);
    else setTimeout(() => next(ids, data), 0);
  }),
  "removes carriage returns": withSend((next, ids, data) =>
    next(ids, data.replaceAll("\r", ""))
  ),
  "replaces NUL with a line break": withSend((next, ids, data) =>
    next(ids, data.replaceAll("\0", "\n"))
  ),
  "trims the spaces of data": withSend((next, ids, data) =>
    next(ids, data.replace(/data: +/g, "data: "))
  ),
  "sends no priming event": withStreamText((text) =>
    text.replace(/^(event: .*\n)?id: .*\ndata: \n\n/, "")
  ),
  "primes every client as in 2025-11-25": withGetHeaders((headers) =>
    headers.set("mcp-protocol-version", "2025-11-25")
  ),
};

/** Changes the replay options, if replay is on. */
function withReplayOptions(
  change: (limits: ReplayOptions) => ReplayOptions,
): CreateFaulty {
  return withOptions((options) => {
    const { replay } = options.streams ?? {};
    if (!replay) return options;
    return {
      ...options,
      streams: { ...options.streams, replay: change(replay) },
    };
  });
}

/** Adds a number of events to the last event ID. */
function shiftLastEventId(headers: Headers, by: number): void {
  const id = headers.get(HEADER);
  const offset = /(?<=-)[0-9]+$/.exec(id ?? "")?.[0];
  if (!id || !offset || Number(offset) + by < 0) return;
  headers.set(HEADER, id.replace(/[0-9]+$/, `${Number(offset) + by}`));
}

/** Repeats each send during a GET request so many times; 0 drops it. */
function repeatDuringGet(times: number): CreateFaulty {
  return withFault((sessions) => {
    const { streams } = sessions;
    let pendingGets = 0;
    const send = streams.send.bind(streams);
    streams.send = (ids, data) => {
      for (let left = pendingGets > 0 ? times : 1; left > 0; left--) {
        send(ids, data);
      }
    };
    const guard = sessions.guard.bind(sessions);
    sessions.guard = async (request, ...args) => {
      const isGet = request?.method === "GET";
      if (isGet) pendingGets++;
      try {
        return await guard(request, ...args);
      } finally {
        if (isGet) pendingGets--;
      }
    };
  });
}
