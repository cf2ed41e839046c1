import type { RequestGate, SessionGate } from "../contracts/guarding.ts";
import type { SessionsOptions } from "../contracts/options.ts";
import {
  resolveHttpOptions,
  resolveStreamOptions,
} from "../contracts/resolve_options.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";
import { ResponseCounts } from "./response_counts.ts";
import { SessionRate } from "./session_rate.ts";
import { OpenRequests } from "../requests/open_requests.ts";
import type { SharedManagers } from "./shared_managers.ts";
import type { RemoteRequests } from "../requests/remote_requests.ts";
import type { RequestArchive } from "../requests/request_archive.ts";
import { type EventArchive, StoredEvents } from "../requests/stored_events.ts";
import type { RequestStreams } from "../requests/request_streams.ts";
import { safeCallback } from "../runtime/callbacks.ts";
import type { TimeLimit } from "../runtime/deadline.ts";
import type { Scheduler } from "../runtime/scheduler.ts";
import type { PendingStream } from "../streams/pending_streams.ts";
import { type BodyLink, linkBody } from "../streams/output/sink_handover.ts";

/** What a guard needs of a stream manager. */
export interface GuardedStreams {
  readonly latestEventId: string | undefined;
  prepareStream(id: string, intent: PendingStream): () => void;
}

/** What open requests need from a backend. */
export interface OpenRequestsBackend {
  /** The streams of requests; undefined without replay. */
  readonly streams: RequestStreams | undefined;
  /** Where the events of requests outlive their node, if anywhere. */
  readonly archive?: RequestArchive | undefined;
  /** The requests of other nodes, if there are several. */
  readonly remote?: RemoteRequests | undefined;
  /** Runs periodic work. */
  readonly scheduler: Scheduler;
}

/**
 * Creates the open requests of sessions, if there is anything to do: with
 * replay, or with several nodes.
 *
 * @param managers The managers of the sessions.
 * @param options The options of the sessions.
 * @param backend What the backend provides.
 */
export function createOpenRequests(
  managers: GuardedManagers,
  { streams: streamOptions, http, onError }: SessionsOptions,
  { streams, archive, remote, scheduler }: OpenRequestsBackend,
): OpenRequests | undefined {
  const { replay } = resolveStreamOptions(streamOptions, "streams");
  const kept = streams && replay && { streams, archive, limits: replay };
  if (kept === undefined && remote === undefined) return undefined;
  return new OpenRequests({
    kept,
    remote,
    maxRequestsPerSession: resolveHttpOptions(http).maxRequestsPerSession,
    scheduler,
    isSession: async (id) =>
      await sessionRegistryOf(managers.info).registration(id) !== undefined,
    onError: safeCallback("onError", onError),
  });
}

/** Creates the storage of events, if there is replay. */
export function createStoredEvents(
  { streams: options }: SessionsOptions,
  { streams, scheduler }: Pick<OpenRequestsBackend, "streams" | "scheduler">,
  archive?: EventArchive,
): StoredEvents | undefined {
  const { replay } = resolveStreamOptions(options, "streams");
  if (streams === undefined || replay === undefined) return undefined;
  const { maxAgeMs } = replay;
  return new StoredEvents({ log: streams.log, maxAgeMs, scheduler, archive });
}

/** The managers that a guard uses. Subclasses may replace them. */
export interface GuardedManagers {
  readonly streams: GuardedStreams;
  readonly info: StoredInfoSessionManager;
}

/**
 * Creates the gate of a guard.
 *
 * @param managers The managers of its sessions.
 * @param options The options of the sessions.
 * @param requests The open requests, if they are kept.
 * @param transports Notices transports that share the managers.
 * @param bodies Waits for the bodies of requests.
 */
export function createSessionGate(
  managers: GuardedManagers,
  { http, onRefuse }: SessionsOptions,
  requests: RequestGate | undefined,
  transports: SharedManagers,
  bodies: TimeLimit,
): SessionGate {
  const settings = resolveHttpOptions(http);
  return {
    maxBodyBytes: settings.maxBodyBytes,
    limits: {
      rate: new SessionRate(settings.maxNewSessionsPerSecond),
      streams: new ResponseCounts(settings.maxStreamsPerPrincipal),
      // To count them takes time, which open requests need anyway.
      requests: new ResponseCounts(http?.maxRequestsPerSession ?? Infinity),
      bodies,
    },
    onRefuse: safeCallback("onRefuse", onRefuse),
    forget: async (id) => {
      await sessionRegistryOf(managers.info).delete(id, "deleted");
    },
    onStream: (transport) => transports.onStream(transport),
    requests,
    authorize: async (id, principal) => {
      const registry = sessionRegistryOf(managers.info);
      const registration = await registry.registration(id);
      // A request of another principal does not keep the session alive.
      if (!registration || registration.principal !== principal) {
        return undefined;
      }
      registry.touch(id);
      return registration;
    },
    isGone: (id) => sessionRegistryOf(managers.info).events.isGone(id),
    register: (id, principal) => {
      const { info, streams } = managers;
      const registry = sessionRegistryOf(info);
      const refusal = registry.takeRefusal(id);
      if (refusal !== undefined) throw refusal;
      return registry.register(id, {
        principal,
        startEventId: streams.latestEventId,
      });
    },
    prepareStream: (id, { startEventId }, stream) => {
      const link: BodyLink = { stream: undefined };
      const revoke = managers.streams.prepareStream(id, {
        ...stream,
        persistent: true,
        startEventId,
        onAttach: (attached) => link.stream = attached,
      });
      return { revoke, onResponse: ({ body }) => linkBody(body, link) };
    },
  };
}
