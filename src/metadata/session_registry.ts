import { assertSessionId } from "../protocol/session_id.ts";
import type { ClientValues } from "./client_values.ts";
import type { MaybePromise, MetadataStore } from "./metadata_store.ts";
import { assertOpen } from "./metadata_values.ts";

/**
 * What the guard asks of an info manager. `register` also throws if the ID is
 * invalid, or if the manager was closed.
 */
export type SessionRegistry =
  & Pick<
    MetadataStore,
    | "register"
    | "registration"
    | "touch"
    | "pages"
    | "describe"
    | "ageOf"
    | "events"
    | "known"
    | "peek"
    | "write"
    | "subscriptionsOf"
    | "delete"
  >
  & Pick<ClientValues, "takeRefusal">
  & {
    /** Ends a session for `sessions.end`; returns whether it was there. */
    end(id: string): MaybePromise<boolean>;
  };

/**
 * Creates the registry of an info manager.
 *
 * @param store Stores the metadata.
 * @param values What clients said about themselves.
 * @param isClosed Returns whether the manager was closed.
 */
export function createRegistry(
  store: MetadataStore,
  values: ClientValues,
  isClosed: () => boolean,
): SessionRegistry {
  return {
    register: (id, registration) => {
      assertSessionId(id);
      assertOpen(isClosed());
      return store.register(id, registration);
    },
    registration: (id) => isClosed() ? undefined : store.registration(id),
    touch: (id) => store.touch(id),
    end: (id) => isClosed() ? false : store.delete(id, "ended"),
    events: store.events,
    get known() {
      return store.known;
    },
    pages: (principal) => isClosed() ? [] : store.pages(principal),
    describe: (ids) => store.describe(ids),
    ageOf: (id) => store.ageOf(id),
    peek: (id, field) => store.peek(id, field),
    write: (id, field, value) => store.write(id, field, value),
    subscriptionsOf: (id) => store.subscriptionsOf(id),
    delete: (id, reason) => store.delete(id, reason),
    takeRefusal: (id) => values.takeRefusal(id),
  };
}
