import type { SessionGate } from "../contracts/guarding.ts";
import type { HttpSettings } from "../contracts/resolve_options.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";
import type { StreamIntent } from "../streams/pending_streams.ts";

/** What a guard needs of a stream manager. */
export interface GuardedStreams {
  readonly latestEventId: string | undefined;
  prepareStream(id: string, intent: StreamIntent): () => void;
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
 */
export function createSessionGate(
  managers: GuardedManagers,
  settings: HttpSettings,
): SessionGate {
  return {
    ...settings,
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
