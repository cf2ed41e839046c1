import type {
  EventStorage,
  HostedCall,
  SessionHost,
  SessionHosting,
  SharedHosting,
  StoredSession,
} from "../contracts/hosting.ts";
import type { SessionsOptions } from "../contracts/options.ts";
import {
  resolveHttpOptions,
  resolveInfoOptions,
  resolveStreamOptions,
} from "../contracts/resolve_options.ts";
import type { SessionRegistry } from "../metadata/session_registry.ts";
import { sessionRegistryOf } from "../metadata/stored_info_session_manager.ts";
import type { OpenRequests } from "../requests/open_requests.ts";
import { safeCallback } from "../runtime/callbacks.ts";
import { TimeLimit } from "../runtime/deadline.ts";
import type { Scheduler } from "../runtime/scheduler.ts";
import type { GuardedManagers } from "./guarded_sessions.ts";

/** What the hosting of a backend is made of. */
export interface HostingParts {
  readonly managers: GuardedManagers;
  readonly options: SessionsOptions;
  readonly scheduler: Scheduler;
  /** The open requests, if they are kept. */
  readonly requests: OpenRequests | undefined;
  /** Adds a listener for notifications. */
  readonly listen: SessionHosting["listen"];
  /** The events of streams of transports, if they are kept. */
  readonly events: EventStorage | undefined;
  /** The hosts of other nodes, if there are several. */
  readonly shared?: SharedHosting | undefined;
}

/** The hosting of any backend. */
export class ManagedHosting implements SessionHosting {
  readonly scheduler: Scheduler;
  readonly idleTimeoutMs: number;
  readonly maxBodyBytes: number;
  readonly bodies: TimeLimit;
  readonly keepsResponses: boolean;
  readonly report: SessionHosting["report"];
  readonly onRefuse: SessionHosting["onRefuse"];
  readonly listen: SessionHosting["listen"];
  readonly shared: SharedHosting | undefined;
  readonly events: EventStorage | undefined;
  readonly #managers: GuardedManagers;
  readonly #requests: OpenRequests | undefined;
  #host: SessionHost | undefined;

  /** @param parts What it is made of. */
  constructor(
    { managers, options, scheduler, requests, listen, events, shared }:
      HostingParts,
  ) {
    const { streams, info, http, onError, onRefuse } = options;
    this.scheduler = scheduler;
    this.idleTimeoutMs = resolveInfoOptions(info, "info").idleTimeoutMs;
    const { maxBodyBytes, bodyTimeoutMs } = resolveHttpOptions(http);
    this.maxBodyBytes = maxBodyBytes;
    this.bodies = new TimeLimit(bodyTimeoutMs, scheduler);
    this.keepsResponses =
      resolveStreamOptions(streams, "streams").replay !== undefined;
    this.report = safeCallback("onError", onError);
    this.onRefuse = safeCallback("onRefuse", onRefuse);
    this.listen = listen;
    this.shared = shared;
    this.events = events;
    this.#managers = managers;
    this.#requests = requests;
  }

  async isSession(id: string): Promise<boolean> {
    return await this.#registry.registration(id) !== undefined;
  }

  async belongsTo(
    id: string,
    principal: string | undefined,
  ): Promise<boolean> {
    const registration = await this.#registry.registration(id);
    return registration !== undefined && registration.principal === principal;
  }

  isBusy(id: string): boolean {
    return this.#requests?.isBusy(id) ?? false;
  }

  async passOn(
    id: string,
    requestId: string | number | undefined,
    body: ReadableStream<Uint8Array> | undefined,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    return await this.#requests?.passOn(id, requestId, body);
  }

  async store(id: string, initialize: string): Promise<void> {
    await this.#registry.write(id, "initialize", initialize);
  }

  async load(id: string): Promise<StoredSession | undefined> {
    const initialize = await this.#registry.peek(id, "initialize");
    if (initialize === undefined) return undefined;
    const subscriptions = await this.#registry.subscriptionsOf(id);
    return { initialize, subscriptions };
  }

  listenForDurations(listener: (durationMs: number) => void): () => void {
    return this.#registry.events.listenForDurations(listener);
  }

  setHost(host: SessionHost): boolean {
    const isFirst = this.#host === undefined;
    this.#host ??= host;
    return isFirst;
  }

  /** Answers a request of another node; undefined if there is no host. */
  async answer(call: HostedCall): Promise<Response | undefined> {
    return await this.#host?.answer(call);
  }

  /** Returns whether the server of a session is here, and stays. */
  hosts(id: string): boolean {
    return this.#host?.hosts(id) ?? false;
  }

  /** Called when another node has the server of a session. */
  onHostedElsewhere(id: string): void {
    this.#host?.onHostedElsewhere(id);
  }

  /** Ends what the host holds. */
  async close(): Promise<void> {
    this.bodies.close();
    await this.#host?.onClose();
  }

  get #registry(): SessionRegistry {
    return sessionRegistryOf(this.#managers.info);
  }
}
