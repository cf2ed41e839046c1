import type {
  ErrorReportingOptions,
  StreamEventOptions,
  StreamOptions,
} from "../contracts/options.ts";
import type { ReplaySettings } from "../contracts/resolve_options.ts";
import type { EventLog } from "./delivery/event_log.ts";
import type { SessionDirectory } from "./directory/session_directory.ts";

/** Options of a stream manager of a cluster. */
export interface ClusterStreamSessionManagerOptions
  extends StreamOptions, ErrorReportingOptions, StreamEventOptions {
  /**
   * Returns the newest event of this node when it learned of a session. Earlier
   * broadcasts are not for the session.
   *
   * @default undefined all stored events are for every session
   */
  readonly startEventId?: ((id: string) => string | undefined) | undefined;
}

/**
 * What nodes share in addition to a bus. Without it, each node has a copy of
 * the directory and a log of its own.
 */
export interface SharedStores {
  /** Creates the directory of session owners. */
  readonly directory: (
    onClaimed: (id: string, wasLocal: boolean) => void,
  ) => SessionDirectory;
  /** Creates the log of events, for replay. */
  readonly log: (settings: ReplaySettings) => EventLog;
}
