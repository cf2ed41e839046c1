import type { RequestGate, SessionGate } from "../contracts/guarding.ts";
import type { SessionsOptions } from "../contracts/options.ts";
import {
  type HttpSettings,
  resolveHttpOptions,
  resolveStreamOptions,
} from "../contracts/resolve_options.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";
import { OpenRequests } from "../requests/open_requests.ts";
import type { RequestStreams } from "../requests/request_streams.ts";
import { safeCallback } from "../runtime/callbacks.ts";
import type { Scheduler } from "../runtime/scheduler.ts";
import type { StreamIntent } from "../streams/pending_streams.ts";

/** What a guard needs of a stream manager. */
export interface GuardedStreams {
  readonly latestEventId: string | undefined;
  prepareStream(id: string, intent: StreamIntent): () => void;
}

/**
 * Creates the open requests of sessions, if replay is on.
 *
 * @param managers The managers of the sessions.
 * @param streams The streams of requests.
 * @param options The options of the sessions.
 * @param scheduler Runs periodic work.
 */
export function createOpenRequests(
  managers: GuardedManagers,
  streams: RequestStreams | undefined,
  { streams: streamOptions, http, onError }: SessionsOptions,
  scheduler: Scheduler,
): OpenRequests | undefined {
  const { replay } = resolveStreamOptions(streamOptions, "streams");
  return streams && replay && new OpenRequests({
    streams,
    replay,
    maxRequestsPerSession: resolveHttpOptions(http).maxRequestsPerSession,
    scheduler,
    isSession: async (id) =>
      await sessionRegistryOf(managers.info).registration(id) !== undefined,
    onError: safeCallback("onError", onError),
  });
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
 * @param settings The limits for requests.
 * @param requests The open requests, if they are kept.
 */
export function createSessionGate(
  managers: GuardedManagers,
  { maxBodyBytes }: HttpSettings,
  requests: RequestGate | undefined,
): SessionGate {
  return {
    maxBodyBytes,
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
    register: (id, principal) => {
      const { info, streams } = managers;
      return sessionRegistryOf(info).register(id, {
        principal,
        startEventId: streams.latestEventId,
      });
    },
    prepareStream: (id, { startEventId }, stream) =>
      managers.streams.prepareStream(id, {
        ...stream,
        persistent: true,
        startEventId,
      }),
  };
}
