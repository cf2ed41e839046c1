import type {
  ErrorReportingOptions,
  EvictionReason,
  ResetReason,
  StreamEventOptions,
} from "@crossmcp/session-manager";

/** The callbacks of a manager during one operation. */
export interface RecordedEvents {
  readonly evicted: ReadonlyMap<string, EvictionReason>;
  readonly failed: ReadonlySet<string>;
  /** The sessions whose streams keep replacing each other. */
  readonly replaced: ReadonlySet<string>;
  readonly resets: readonly (readonly [id: string, reason: ResetReason])[];
}

/** Records the callbacks of a manager. */
export class EventRecorder {
  #evicted: Map<string, EvictionReason> = new Map();
  #failed: Set<string> = new Set();
  #replaced: Set<string> = new Set();
  #resets: [id: string, reason: ResetReason][] = [];

  /** The callbacks, for the options of the manager. */
  readonly callbacks: StreamEventOptions & ErrorReportingOptions = {
    onError: (error) => {
      const isReplaced = error.message.includes("keep replacing each other");
      const ids = isReplaced ? this.#replaced : this.#failed;
      ids.add((error as { sessionId?: string }).sessionId!);
    },
    onEvict: (id, reason) => this.#evicted.set(id, reason),
    onReset: (id, reason) => this.#resets.push([id, reason]),
  };

  /** Returns everything recorded since the previous call. */
  take(): RecordedEvents {
    const recorded = {
      evicted: this.#evicted,
      failed: this.#failed,
      replaced: this.#replaced,
      resets: this.#resets,
    };
    this.#evicted = new Map();
    this.#failed = new Set();
    this.#replaced = new Set();
    this.#resets = [];
    return recorded;
  }
}
