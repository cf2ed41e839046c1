import {
  assertKnownOptions,
  INFO_OPTIONS,
} from "../contracts/known_options.ts";
import type {
  ErrorReportingOptions,
  InfoOptions,
} from "../contracts/options.ts";
import {
  objectOption,
  resolveInfoOptions,
} from "../contracts/resolve_options.ts";
import type { StreamSessionManager } from "../contracts/stream_session_manager.ts";
import { LocalMetadataStore } from "../metadata/local_metadata_store.ts";
import { StoredInfoSessionManager } from "../metadata/stored_info_session_manager.ts";
import { safeCallback } from "../runtime/callbacks.ts";
import { Scheduler, sharedScheduler } from "../runtime/scheduler.ts";

/** Options of an {@linkcode InMemoryInfoSessionManager}. */
export interface InMemoryInfoSessionManagerOptions
  extends InfoOptions, ErrorReportingOptions {
  /**
   * The stream manager of the same sessions: a session with an open stream is
   * in use.
   *
   * @default undefined only reads and writes count as use
   */
  readonly streams?: Pick<StreamSessionManager, "has"> | undefined;
}

/**
 * Remembers in this process what each client said about itself.
 *
 * Getters return copies. The metadata of a session that nobody used for
 * `idleTimeoutMs` is removed. If a value is invalid, the setter returns a
 * rejected promise and also reports the error to `onError`. It never throws
 * synchronously and never causes an unhandled rejection, because tmcp's
 * transports do not wait for it.
 *
 * @example
 * ```ts
 * import { InMemoryInfoSessionManager } from "@crossmcp/session-manager";
 *
 * const info = new InMemoryInfoSessionManager({ onError: console.error });
 * await info.setLogLevel("session-1", "warning");
 * console.log(await info.getLogLevel("session-1")); // warning
 * await info.delete("session-1");
 * ```
 */
export class InMemoryInfoSessionManager extends StoredInfoSessionManager {
  /**
   * Creates an empty manager.
   *
   * @param options Limits and callbacks.
   * @throws {InvalidArgumentError} If an option is invalid.
   */
  constructor(options?: InMemoryInfoSessionManagerOptions) {
    assertKnownOptions(options, INFO_OPTIONS);
    const { onError, streams } = objectOption("options", options);
    const limits = resolveInfoOptions(options);
    const store = new LocalMetadataStore(
      { ...limits, streams },
      safeCallback("onError", onError),
      streams === undefined ? new Scheduler() : sharedScheduler(streams),
    );
    super(store, limits, onError);
  }
}
