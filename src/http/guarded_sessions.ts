import type { SessionGate } from "../contracts/guarding.ts";
import type { StreamIntent } from "../streams/pending_streams.ts";
import type { SessionRegistration } from "../metadata/session_records.ts";

/** What a guard needs of a stream manager. */
export interface GuardedStreams {
  readonly latestEventId: string | undefined;
  prepareStream(id: string, intent: StreamIntent): () => void;
}

/** What a guard needs of an info manager. */
export interface GuardedInfo {
  register(
    id: string,
    registration: SessionRegistration,
  ): boolean | Promise<boolean>;
  registration(
    id: string,
  ): SessionRegistration | undefined | Promise<SessionRegistration | undefined>;
  touch(id: string): void;
}

/** The managers that a guard uses. Subclasses may replace them. */
export interface GuardedManagers {
  readonly streams: GuardedStreams;
  readonly info: GuardedInfo;
}

/** Creates the gate of a guard from the managers of its sessions. */
export function createSessionGate(managers: GuardedManagers): SessionGate {
  return {
    authorize: async (id, principal) => {
      const { info } = managers;
      const registration = await info.registration(id);
      // A request of another principal does not keep the session alive.
      if (!registration || registration.principal !== principal) return false;
      info.touch(id);
      return true;
    },
    register: (id, principal) => {
      const { info, streams } = managers;
      return info.register(id, {
        principal,
        startEventId: streams.latestEventId,
      });
    },
    prepareStream: async (id, stream) => {
      const { info, streams } = managers;
      const registration = await info.registration(id);
      const startEventId = registration?.startEventId;
      return streams.prepareStream(id, {
        ...stream,
        persistent: true,
        startEventId,
      });
    },
  };
}
