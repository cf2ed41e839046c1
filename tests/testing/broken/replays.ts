import type { ReplayOptions } from "@crossmcp/session-manager";
import {
  asked,
  configured,
  type Faulty,
  faulty,
  guarded,
  sent,
  written,
} from "./faulty.ts";
import { sessionRegistryOf } from "../../../src/metadata/stored_info_session_manager.ts";

const LAST = "last-event-id";

/** Sessions with one fault each in what clients get that come back. */
export const brokenReplays: Record<string, Faulty> = {
  "keeps nothing": configured((options) => ({
    ...options,
    streams: { ...options.streams, replay: false },
  })),
  "keeps one event": keeping(() => ({ maxEvents: 1 })),
  "keeps too many events": keeping((limits) => ({
    ...limits,
    maxEvents: 10_000,
  })),
  "keeps too many bytes": keeping((limits) => ({
    ...limits,
    maxBytes: 16_777_216,
  })),
  "keeps for too long": keeping((limits) => ({ ...limits, maxAgeMs: 300_000 })),
  "does not look at what came last": asked((headers) => headers.delete(LAST)),
  "resets everyone": asked((headers) => {
    if (headers.has(LAST)) headers.set(LAST, "nonsense");
  }),
  "replays one too many": asked((headers) => move(headers, -1)),
  "replays one too few": asked((headers) => move(headers, 1)),
  "replays to everyone what was for one": faulty(({ streams }) => {
    const away = new Set<string>();
    const send = streams.send.bind(streams);
    const create = streams.create.bind(streams);
    const remove = streams.delete.bind(streams);
    streams.create = (id, controller) => {
      away.delete(id);
      create(id, controller);
    };
    streams.delete = (id) => {
      away.add(id);
      remove(id);
    };
    streams.send = (ids, data) => send(ids && [...ids, ...away], data);
  }),
  "replays what was before a session": faulty(({ info }) => {
    const registry = sessionRegistryOf(info);
    const register = registry.register.bind(registry);
    registry.register = (id, { principal }) =>
      register(id, { principal, startEventId: undefined });
  }),
  "leaves a silent gap": guarded(
    async (next, { streams }, request, respond, options) => {
      const { resets } = streams.stats();
      const response = await next(request, respond, options);
      if (streams.stats().resets === resets) return response;
      const headers = new Headers(request.headers);
      headers.delete(LAST);
      return next(new Request(request.url, { headers }), respond, options);
    },
  ),
  "resets in silence": configured(({ onReset: _, ...options }) => options),
  "gives every reason for a reset": written((text) =>
    text.replace(/"(unknown|future|purged)"/, '"lost"')
  ),
  "resets without a position": written((text) =>
    text.replace(/(event: reset\n)id: .*\n/, "$1")
  ),
  "gives every other event an id": written((text) =>
    text.replace(/^id: .*[02468]\n/gm, "")
  ),
  "gives all events one id": written((text) =>
    text.replace(/^(id: .*-)[0-9]+\n/gm, "$11\n")
  ),
  "gives an event its id when it has ended": written((text) =>
    text.replace(/^(id: .*\n)\n/gm, "\n$1\n")
  ),
  "loses what is sent while a client comes back": meanwhile(0),
  "sends twice what is sent while a client comes back": meanwhile(2),
  "lets broadcasts overtake": sent((next, ids, data) => {
    if (ids === undefined) next(ids, data);
    else setTimeout(() => next(ids, data), 0);
  }),
  "drops returns": sent((next, ids, data) =>
    next(ids, data.replaceAll("\r", ""))
  ),
  "breaks at NUL": sent((next, ids, data) =>
    next(ids, data.replaceAll("\0", "\n"))
  ),
  "trims": sent((next, ids, data) =>
    next(ids, data.replace(/data: +/g, "data: "))
  ),
  "tells nobody its position": written((text) =>
    text.replace(/^(event: .*\n)?id: .*\ndata: \n\n/, "")
  ),
  "tells every client its position in the same way": asked((headers) =>
    headers.set("mcp-protocol-version", "2025-11-25")
  ),
};

/** Keeps more or less than it was told to. */
function keeping(change: (limits: ReplayOptions) => ReplayOptions): Faulty {
  return configured((options) => {
    const { replay } = options.streams ?? {};
    if (!replay) return options;
    return {
      ...options,
      streams: { ...options.streams, replay: change(replay) },
    };
  });
}

/** Moves what came last by some events. */
function move(headers: Headers, by: number): void {
  const id = headers.get(LAST);
  const offset = /(?<=-)[0-9]+$/.exec(id ?? "")?.[0];
  if (!id || !offset || Number(offset) + by < 0) return;
  headers.set(LAST, id.replace(/[0-9]+$/, `${Number(offset) + by}`));
}

/** Sends so many times what is sent while a GET is under way. */
function meanwhile(times: number): Faulty {
  return faulty((sessions) => {
    const { streams } = sessions;
    let underWay = 0;
    const send = streams.send.bind(streams);
    streams.send = (ids, data) => {
      for (let left = underWay > 0 ? times : 1; left > 0; left--) {
        send(ids, data);
      }
    };
    const guard = sessions.guard.bind(sessions);
    sessions.guard = async (request, ...args) => {
      const isGet = request.method === "GET";
      if (isGet) underWay++;
      try {
        return await guard(request, ...args);
      } finally {
        if (isGet) underWay--;
      }
    };
  });
}
