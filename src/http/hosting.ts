import type { SessionHost, SessionHosting } from "../contracts/hosting.ts";
import type { SessionsOptions } from "../contracts/options.ts";
import {
  resolveInfoOptions,
  resolveStreamOptions,
} from "../contracts/resolve_options.ts";
import { sessionRegistryOf } from "../metadata/stored_info_session_manager.ts";
import { safeCallback } from "../runtime/callbacks.ts";
import type { Scheduler } from "../runtime/scheduler.ts";
import type { GuardedManagers } from "./guarded_sessions.ts";

/** The hosting of any backend. */
export class ManagedHosting implements SessionHosting {
  readonly scheduler: Scheduler;
  readonly idleTimeoutMs: number;
  readonly keepsResponses: boolean;
  readonly report: (error: Error) => void;
  readonly listen: SessionHosting["listen"];
  readonly #managers: GuardedManagers;
  #host: SessionHost | undefined;

  /**
   * @param managers The managers of the sessions.
   * @param options The options of the sessions.
   * @param scheduler Runs periodic work.
   * @param listen Adds a listener for notifications.
   */
  constructor(
    managers: GuardedManagers,
    { streams, info, onError }: SessionsOptions,
    scheduler: Scheduler,
    listen: SessionHosting["listen"],
  ) {
    this.scheduler = scheduler;
    this.idleTimeoutMs = resolveInfoOptions(info, "info").idleTimeoutMs;
    this.keepsResponses =
      resolveStreamOptions(streams, "streams").replay !== undefined;
    this.report = safeCallback("onError", onError);
    this.listen = listen;
    this.#managers = managers;
  }

  async isSession(id: string): Promise<boolean> {
    const registry = sessionRegistryOf(this.#managers.info);
    return await registry.registration(id) !== undefined;
  }

  setHost(host: SessionHost): boolean {
    const isFirst = this.#host === undefined;
    this.#host ??= host;
    return isFirst;
  }

  /** Ends what the host holds. */
  async close(): Promise<void> {
    await this.#host?.onClose();
  }
}
