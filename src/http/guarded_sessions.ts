import type { GuardedSessions } from "../contracts/guarding.ts";
import type { StreamExpectation } from "../streams/pending_streams.ts";
import type { Registration } from "../metadata/session_records.ts";

/** What a guard asks of a manager of streams. */
export interface GuardedStreams {
  readonly position: string | undefined;
  expect(id: string, expectation: StreamExpectation): () => void;
}

/** What a guard asks of a manager of metadata. */
export interface GuardedInfo {
  register(id: string, registration: Registration): boolean | Promise<boolean>;
  registration(
    id: string,
  ): Registration | undefined | Promise<Registration | undefined>;
  touch(id: string): void;
}

/** Whose managers a guard asks; a subclass may put others in their place. */
export interface GuardedManagers {
  readonly streams: GuardedStreams;
  readonly info: GuardedInfo;
}

/** Sessions for a guard, from the managers that keep them. */
export function guarded(managers: GuardedManagers): GuardedSessions {
  return {
    isKnown: async (id, principal) => {
      const { info } = managers;
      const registration = await info.registration(id);
      // A stranger does not keep it alive.
      if (!registration || registration.principal !== principal) return false;
      info.touch(id);
      return true;
    },
    begin: (id, principal) => {
      const { info, streams } = managers;
      return info.register(id, { principal, since: streams.position });
    },
    expect: async (id, stream) => {
      const { info, streams } = managers;
      const registration = await info.registration(id);
      const since = registration?.since;
      return streams.expect(id, { ...stream, stays: true, since });
    },
  };
}
