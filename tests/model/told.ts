import type {
  ErrorReportingOptions,
  EvictionReason,
  ResetReason,
  StreamEventOptions,
} from "@crossmcp/session-manager";

/** What a manager told of one operation. */
export interface Told {
  readonly evicted: ReadonlyMap<string, EvictionReason>;
  readonly failed: ReadonlySet<string>;
  readonly resets: readonly (readonly [id: string, reason: ResetReason])[];
}

/** Listens to a manager. */
export class Listener {
  #evicted: Map<string, EvictionReason> = new Map();
  #failed: Set<string> = new Set();
  #resets: [id: string, reason: ResetReason][] = [];

  /** For the manager's options. */
  readonly callbacks: StreamEventOptions & ErrorReportingOptions = {
    onError: (error) =>
      this.#failed.add((error as { sessionId?: string }).sessionId!),
    onEvict: (id, reason) => this.#evicted.set(id, reason),
    onReset: (id, reason) => this.#resets.push([id, reason]),
  };

  /** What was told since this was last asked. */
  told(): Told {
    const told = {
      evicted: this.#evicted,
      failed: this.#failed,
      resets: this.#resets,
    };
    this.#evicted = new Map();
    this.#failed = new Set();
    this.#resets = [];
    return told;
  }
}
