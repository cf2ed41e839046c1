import { callback } from "../callbacks.ts";
import { SessionNotFoundError } from "../errors.ts";
import {
  assertLevel,
  assertStores,
  assertUri,
  refused,
} from "../in_memory/info_values.ts";
import { serialize } from "../in_memory/serialize.ts";
import type { Registration } from "../in_memory/session_records.ts";
import { InfoSessionManager } from "../info_session_manager.ts";
import type {
  ClientCapabilities,
  ClientInfo,
  LoggingLevel,
} from "../mcp_types.ts";
import type { InfoOptions, ReportingOptions } from "../options.ts";
import { optionGroup, resolveInfoOptions } from "../resolve_options.ts";
import { assertSessionId } from "../session_id.ts";
import { InfoReplica } from "./info_replica.ts";
import type { ClusterNode } from "./node.ts";
import type { ClusterStreamSessionManager } from "./stream_session_manager.ts";

/** Options of a manager of metadata on several nodes. */
export interface ClusterInfoSessionManagerOptions
  extends InfoOptions, ReportingOptions {
  /**
   * The manager of the same sessions' streams: one with an open stream is in use.
   *
   * @default undefined only reads and writes are use
   */
  readonly streams?: ClusterStreamSessionManager | undefined;
}

/**
 * Remembers what each client said of itself, on every node the same.
 *
 * A write resolves when the other nodes have it. Of two writes at the same time the
 * newer one wins, field by field, on all nodes alike. A session that is unknown here
 * is asked for at the others. What no node has used for `idleMs` is forgotten.
 *
 * A setter that refuses its value answers with a rejected promise and tells
 * `onError`; it never throws in place and never ends as an unhandled rejection.
 */
export class ClusterInfoSessionManager extends InfoSessionManager {
  readonly #node: ClusterNode;
  readonly #replica: InfoReplica;
  readonly #report: (error: Error) => void;
  #isClosed = false;

  /**
   * Makes a manager without metadata, before its node starts.
   *
   * @param node Knows the other nodes.
   * @param options Limits, and where refused writes are reported.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(node: ClusterNode, options?: ClusterInfoSessionManagerOptions) {
    super();
    const { onError, streams } = optionGroup("options", options);
    this.#node = node;
    this.#report = callback("onError", onError);
    this.#replica = new InfoReplica(node, {
      ...resolveInfoOptions(options),
      streams: streams && { has: (id) => streams.isAttached(id) },
      position: () => streams?.position,
      onDelete: (id) => streams?.forget(id),
    });
  }

  /**
   * What the client of a session says it is.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When no node has it; always as a rejected
   * promise.
   */
  override async getClientInfo(id: string): Promise<ClientInfo> {
    return JSON.parse(await this.#read(id, "clientInfo", "client info"));
  }

  /**
   * Stores what the client of a session says it is.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param info A JSON object; `undefined` removes what is stored.
   * @throws {InvalidArgumentError} For an id or a value that is none; as a
   * rejected promise.
   */
  override setClientInfo(
    id: string,
    info: ClientInfo | undefined,
  ): Promise<void> {
    return this.#write(id, "clientInfo", () => serialize("info", info));
  }

  /**
   * What the client of a session can do.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When no node has it; always as a rejected
   * promise.
   */
  override async getClientCapabilities(
    id: string,
  ): Promise<ClientCapabilities> {
    const name = "client capabilities";
    return JSON.parse(await this.#read(id, "clientCapabilities", name));
  }

  /**
   * Stores what the client of a session can do.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param capabilities A JSON object; `undefined` removes what is stored.
   * @throws {InvalidArgumentError} For an id or a value that is none; as a
   * rejected promise.
   */
  override setClientCapabilities(
    id: string,
    capabilities: ClientCapabilities | undefined,
  ): Promise<void> {
    return this.#write(
      id,
      "clientCapabilities",
      () => serialize("capabilities", capabilities),
    );
  }

  /**
   * The least urgent level of log messages that a session wants.
   *
   * @param id The session.
   * @throws {SessionNotFoundError} When no node has it; always as a rejected
   * promise.
   */
  override async getLogLevel(id: string): Promise<LoggingLevel> {
    return await this.#read(id, "logLevel", "log level") as LoggingLevel;
  }

  /**
   * Stores the least urgent level of log messages that a session wants.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param level One of the eight levels; `undefined` removes what is stored.
   * @throws {InvalidArgumentError} For an id or a value that is none; as a
   * rejected promise.
   */
  override setLogLevel(
    id: string,
    level: LoggingLevel | undefined,
  ): Promise<void> {
    return this.#write(id, "logLevel", () => {
      assertLevel(level);
      return level;
    });
  }

  /**
   * The sessions that subscribed to a resource, each once, in no fixed order.
   *
   * @param uri The resource, compared character by character.
   */
  override async getSubscriptions(uri: string): Promise<string[]> {
    if (!this.#isClosed) await this.#node.ready;
    return this.#replica.subscribedTo(uri);
  }

  /**
   * Subscribes a session to a resource. Doing it twice changes nothing.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param uri The resource, any string.
   * @throws {InvalidArgumentError} For an id or a value that is none; as a
   * rejected promise.
   */
  override addSubscription(id: string, uri: string): Promise<void> {
    return this.#change(id, () => {
      assertUri(uri);
      this.#replica.subscribe(id, uri);
    });
  }

  /**
   * Ends a session's subscription to a resource. An unknown pair changes nothing.
   *
   * @param id The session.
   * @param uri The resource.
   */
  override async removeSubscription(id: string, uri: string): Promise<void> {
    this.#replica.unsubscribe(id, uri);
    await this.#node.settled();
  }

  /**
   * Forgets all that is stored of a session, its subscriptions included, on every
   * node. An unknown id changes nothing.
   *
   * @param id The session.
   */
  override async delete(id: string): Promise<void> {
    if (this.#isClosed || typeof id !== "string") return;
    this.#replica.delete(id);
    await this.#node.settled();
  }

  /**
   * Notes that the server itself began a session, and for whom, see
   * `InMemoryInfoSessionManager.register`.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param registration For whom; from where on events are its own, each node knows
   * for itself.
   * @returns Whether it is that principal's: false for an id that another has.
   * @throws {InvalidArgumentError} For an id that is none.
   * @throws {SessionLimitError} When there is no place for another session.
   * @throws {ClosedError} After {@linkcode close}.
   */
  async register(
    id: string,
    { principal }: Pick<Registration, "principal">,
  ): Promise<boolean> {
    assertSessionId(id);
    assertStores(this.#isClosed);
    const known = await this.registration(id);
    if (known !== undefined) return known.principal === principal;
    this.#replica.register(id, principal);
    await this.#node.settled();
    return true;
  }

  /**
   * How a session was registered, on whichever node. Asking is no use of the
   * session.
   *
   * @param id The session.
   */
  async registration(id: string): Promise<Registration | undefined> {
    if (this.#replica.get(id) === undefined) await this.#replica.fetch(id);
    return this.#replica.registration(id);
  }

  /**
   * The position of this node's events when it heard of a session.
   *
   * @param id The session.
   */
  since(id: string): string | undefined {
    return this.#replica.get(id)?.since;
  }

  /**
   * Notes that a session is in use.
   *
   * @param id The session.
   */
  touch(id: string): void {
    this.#replica.use(id);
  }

  /** Of how many sessions this node found that nobody had used them for `idleMs`. */
  get expired(): number {
    return this.#replica.expired;
  }

  /**
   * Forgets everything on this node. Later writes are refused with a `ClosedError`.
   * The other nodes keep what they have.
   */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#replica.clear();
    return Promise.resolve();
  }

  async #read(id: string, field: string, wanted: string): Promise<string> {
    if (this.#replica.use(id) === undefined && !this.#isClosed) {
      await this.#replica.fetch(id);
    }
    const value = this.#replica.field(id, field);
    if (value === undefined) throw new SessionNotFoundError(id, wanted);
    return value;
  }

  #write(
    id: string,
    field: string,
    prepare: () => string | undefined,
  ): Promise<void> {
    return this.#change(id, () => {
      this.#replica.write(id, field, prepare() ?? null);
    });
  }

  /** Changes what is stored of a session, and waits until others know. */
  #change(id: string, change: () => void): Promise<void> {
    try {
      assertSessionId(id);
      assertStores(this.#isClosed);
      change();
      return this.#node.settled();
    } catch (error) {
      return refused(error, this.#report);
    }
  }
}
