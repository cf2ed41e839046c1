import type {
  GuardOptions,
  Respond,
  SessionGate,
} from "../contracts/guarding.ts";
import { setHosting } from "../contracts/hosting.ts";
import { guard } from "../http/guard.ts";
import {
  createOpenRequests,
  createSessionGate,
  createStoredEvents,
} from "../http/guarded_sessions.ts";
import { SharedManagers } from "../http/shared_managers.ts";
import type { RequestArchive } from "../requests/request_archive.ts";
import type { EventArchive, StoredEvents } from "../requests/stored_events.ts";
import { ManagedHosting } from "../http/hosting.ts";
import { connectCallbacks } from "../operation/session_callbacks.ts";
import { type FindActivity, listSessions } from "../operation/session_list.ts";
import { endSessions } from "../operation/session_ender.ts";
import { sessionStats } from "../operation/session_stats.ts";
import { Notifier } from "../operation/notifier.ts";
import type { ServerNotification } from "../protocol/notifications.ts";
import type { OpenRequests } from "../requests/open_requests.ts";
import type { CloseOptions, SessionsOptions } from "../contracts/options.ts";
import { resolveCloseOptions } from "../contracts/resolve_options.ts";
import type {
  EndTarget,
  ListOptions,
  NotifyTarget,
  Sessions,
  SessionSummary,
  TransportSessions,
} from "../contracts/sessions.ts";
import type { SessionsStats } from "../contracts/stats.ts";
import { clusterActivity } from "./operation/activity.ts";
import { ClusterHosting } from "./forwarding/cluster_hosting.ts";
import { ClusterRequests } from "./forwarding/cluster_requests.ts";
import { RequestForwarder } from "./forwarding/request_forwarder.ts";
import type { ClusterNode } from "./membership/cluster_node.ts";
import type { ClusterStats, NodeInfo } from "./membership/node_info.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../metadata/stored_info_session_manager.ts";
import {
  type ClusterStreamSessionManager,
  ownedSessionsOf,
  requestStreamsOf,
} from "./stream_session_manager.ts";
import {
  type ClusterSubscriptionManager,
  listenForAllNotifications,
} from "./subscription_manager.ts";

/** The counters of one node. */
export interface ClusterSessionsStats extends SessionsStats {
  /** Its counters of the cluster. */
  readonly cluster: ClusterStats;
}

/** The parts of {@linkcode ClusteredSessions}. */
export interface ClusteredSessionsParts<Info extends StoredInfoSessionManager> {
  readonly node: ClusterNode;
  readonly streams: ClusterStreamSessionManager;
  readonly info: Info;
  readonly subscriptions: ClusterSubscriptionManager;
  /** Where the events of requests outlive their node, if anywhere. */
  readonly archive?: RequestArchive | undefined;
  /** Where the events of other streams outlive their node, if anywhere. */
  readonly events?: EventArchive | undefined;
  readonly options: SessionsOptions;
  readonly ready: Promise<void>;
  /** Leaves the cluster. */
  readonly disconnect: () => Promise<void>;
  /** How many outages there were, if the backend counts them itself. */
  readonly outages?: (() => number) | undefined;
}

/** The sessions of one node of a cluster, on any backend. */
export class ClusteredSessions<
  Info extends StoredInfoSessionManager = StoredInfoSessionManager,
> implements Sessions {
  /** The long-lived streams of the session era (2025-11-25 and before). */
  readonly streams: ClusterStreamSessionManager;
  /** What each client of the session era said about itself. */
  readonly info: Info;
  /** The `subscriptions/listen` streams of the per-request era (2026-07-28). */
  readonly subscriptions: ClusterSubscriptionManager;
  /**
   * Resolves when the other nodes were found and their sessions are known here.
   * Earlier calls work, but may not reach all of them.
   */
  readonly ready: Promise<void>;
  readonly #node: ClusterNode;
  readonly #disconnect: () => Promise<void>;
  readonly #outages: (() => number) | undefined;
  readonly #requests: OpenRequests;
  readonly #events: StoredEvents | undefined;
  readonly #gate: SessionGate;
  readonly #transports: SharedManagers;
  readonly #hosting: ManagedHosting;
  readonly #findActivity: FindActivity;
  readonly #notifier: Notifier = new Notifier(this);

  /**
   * Creates the sessions from their parts.
   *
   * @param parts The managers, and their node.
   */
  constructor(parts: ClusteredSessionsParts<Info>) {
    this.streams = parts.streams;
    this.info = parts.info;
    this.subscriptions = parts.subscriptions;
    this.ready = parts.ready;
    this.#node = parts.node;
    this.#disconnect = parts.disconnect;
    this.#outages = parts.outages;
    const owned = ownedSessionsOf(parts.streams);
    connectCallbacks(parts.info, parts.options, (id) => {
      owned.end(id);
      this.#requests.endSession(id);
    });
    const { node } = parts;
    const forwarder: RequestForwarder = new RequestForwarder(
      node,
      async (call): Promise<Response | undefined> =>
        call.purpose === "host"
          ? await shared.answer(call)
          : await remote.answer(call),
    );
    const remote: ClusterRequests = new ClusterRequests(
      node,
      forwarder,
      () => requests,
    );
    const shared: ClusterHosting = new ClusterHosting(
      node,
      forwarder,
      parts.info,
      () => this.#hosting,
    );
    const requests: OpenRequests = createOpenRequests(this, parts.options, {
      streams: requestStreamsOf(parts.streams),
      archive: parts.archive,
      remote,
      scheduler: node.scheduler,
    })!;
    this.#requests = requests;
    this.#findActivity = clusterActivity(node, {
      queuedBytes: (id) => owned.queuedBytes(id),
      openRequests: (id) => requests.openCount(id),
      age: (id) => sessionRegistryOf(this.info).ageOf(id),
    });
    this.#events = createStoredEvents(parts.options, {
      streams: requestStreamsOf(parts.streams),
      scheduler: node.scheduler,
    }, parts.events);
    this.#transports = new SharedManagers(parts.options.onError);
    this.#hosting = new ManagedHosting({
      managers: this,
      options: parts.options,
      scheduler: node.scheduler,
      requests,
      events: this.#events,
      listen: (listener) =>
        listenForAllNotifications(parts.subscriptions, listener),
      shared,
    });
    setHosting(this, this.#hosting);
    this.#gate = createSessionGate(
      this,
      parts.options,
      this.#requests,
      this.#transports,
      this.#hosting.bodies,
    );
  }

  /**
   * Returns the nodes that this node considers alive; this one is the first.
   */
  nodes(): NodeInfo[] {
    return this.#node.nodes();
  }

  /**
   * Passes a request to a transport, and enforces the session rules of MCP
   * 2025-11-25 (Transports, "Session Management"). {@linkcode Sessions}
   * describes them in full. A session is valid on every node. If nobody can
   * tell whether it exists, the answer is 503.
   *
   * @param request The request.
   * @param respond The transport. If it returns `null`, because the request is
   * not for it, the answer is an empty 404.
   * @param options Who sends the request.
   * @throws {InvalidArgumentError} If an argument is invalid. As a rejected
   * promise.
   */
  guard(
    request: Request,
    respond: Respond,
    options?: GuardOptions,
  ): Promise<Response> {
    return guard(this.#gate, request, respond, options);
  }

  /**
   * Returns the managers as one transport sees them, so that a server with
   * several transports sends each broadcast once to each client.
   * {@linkcode Sessions} describes it in full.
   *
   * @param name The name of the transport, the same on all nodes.
   * @throws {InvalidArgumentError} If the name is not a string, or is empty.
   */
  forTransport(name: string): TransportSessions {
    const streams = this.streams.forTransport(name);
    this.#transports.addView();
    return { streams, info: this.info, subscriptions: this.subscriptions };
  }

  /**
   * Sends a notification to clients, of both eras. {@linkcode Sessions} describes
   * it in full.
   *
   * @param notification The notification. `jsonrpc` is added if it is missing.
   * @param to Who gets it; everyone if omitted.
   * @throws {InvalidArgumentError} If the notification or `to` is invalid. As a
   * rejected promise.
   * @throws {ClusterError} If the sessions of the principal cannot be looked up.
   * As a rejected promise.
   */
  notify<Method extends string>(
    notification: ServerNotification<Method>,
    to?: NotifyTarget,
  ): Promise<void> {
    return this.#notifier.notify(notification, to);
  }

  /**
   * Ends sessions, on all nodes: their next request gets 404. Returns how many.
   * {@linkcode Sessions} describes it in full.
   *
   * @param target One session, or all those of a principal.
   * @throws {InvalidArgumentError} If the target is invalid. As a rejected
   * promise.
   * @throws {ClusterError} If not all nodes could be informed. Call it again. As
   * a rejected promise.
   */
  end(target: EndTarget): Promise<number> {
    return endSessions(this.info, target);
  }

  /**
   * Lists the sessions that began through the guard, on all nodes.
   * {@linkcode Sessions} describes it in full.
   *
   * @param options Which sessions, and how many.
   * @throws {InvalidArgumentError} If an option is invalid.
   */
  list(options?: ListOptions): AsyncIterable<SessionSummary> {
    return listSessions(this.info, this.#findActivity, options);
  }

  /** Returns the counters of this node. Visits each of its streams. */
  stats(): ClusterSessionsStats {
    const { streams, info, subscriptions } = this;
    const openRequests = this.#requests.size;
    const cluster = this.#node.stats();
    const outages = this.#outages?.() ?? cluster.outages;
    return {
      ...sessionStats({ streams, info, subscriptions, openRequests }),
      cluster: { ...cluster, outages },
    };
  }

  /**
   * Ends every stream and subscription of this node, and leaves the cluster.
   * The other nodes continue. Calling it again changes nothing, or finishes a
   * drain.
   *
   * @param options Whether to drain. Meanwhile, clients that reconnect to other
   * nodes get what they missed.
   * @throws {InvalidArgumentError} If an option is invalid. As a rejected
   * promise.
   */
  async close(options?: CloseOptions): Promise<void> {
    resolveCloseOptions(options);
    await Promise.all([
      this.streams.close(options),
      this.subscriptions.dispose(),
    ]);
    this.#requests.close();
    this.#events?.close();
    await this.#hosting.close();
    await this.#disconnect();
    await this.info.close();
  }

  /** The same as {@linkcode close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
