import type { SessionGate } from "../contracts/guarding.ts";
import type { StreamIntent } from "../streams/pending_streams.ts";
import type { SessionRegistration } from "../metadata/session_records.ts";

/** What a guard asks of a manager of streams. */
export interface GuardedStreams {
  readonly latestEventId: string | undefined;
  prepareStream(id: string, expectation: StreamIntent): () => void;
}

/** What a guard asks of a manager of metadata. */
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

/** Whose managers a guard asks; a subclass may put others in their place. */
export interface GuardedManagers {
  readonly streams: GuardedStreams;
  readonly info: GuardedInfo;
}

/** Sessions for a guard, from the managers that keep them. */
export function createSessionGate(managers: GuardedManagers): SessionGate {
  return {
    authorize: async (id, principal) => {
      const { info } = managers;
      const registration = await info.registration(id);
      // A stranger does not keep it alive.
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
      const since = registration?.startEventId;
      return streams.prepareStream(id, {
        ...stream,
        persistent: true,
        startEventId: since,
      });
    },
  };
}
