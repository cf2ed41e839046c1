import type { SessionHosting, StoredSession } from "../../contracts/hosting.ts";
import { waitUntil } from "../../runtime/deadline.ts";
import { HostedSessions } from "./hosted_sessions.ts";
import type { InitializeParams } from "../messages.ts";
import type { SdkFetchOptions, SdkHandlerOptions } from "../options.ts";
import { SdkSession } from "./sdk_session.ts";
import { replayTo } from "./session_replay.ts";
import { deleteSession, storeClient } from "./session_state.ts";

/** How often the SDK's transports send comments, in milliseconds. */
const KEEP_ALIVE_MS = 15_000;

/** The servers of this node: creates them, and closes them. */
export class SessionServers {
  readonly #options: SdkHandlerOptions;
  readonly #hosting: SessionHosting;
  readonly #sessions: HostedSessions;
  /** Sessions that are being taken over. */
  readonly #rebuilding: Map<string, Promise<boolean>> = new Map();
  #begun = 0;
  #rebuilt = 0;
  #isClosed = false;

  /**
   * @param options The options of the handler.
   * @param hosting What is known about its sessions.
   */
  constructor(options: SdkHandlerOptions, hosting: SessionHosting) {
    this.#options = options;
    this.#hosting = hosting;
    this.#sessions = new HostedSessions(hosting);
  }

  /** Whether there are none any more, and will be none. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The counters. */
  get stats(): { hosted: number; begun: number; rebuilt: number } {
    const hosted = this.#sessions.size;
    return { hosted, begun: this.#begun, rebuilt: this.#rebuilt };
  }

  /** Returns a session that has its server here. */
  get(id: string): SdkSession | undefined {
    return this.#sessions.get(id);
  }

  /** Creates a server for a session that may begin. */
  async create(
    sessionId: string,
    { principal, authInfo }: SdkFetchOptions,
  ): Promise<SdkSession> {
    const { createServer, Transport, enableJsonResponse } = this.#options;
    const session = new SdkSession({
      sessionId,
      server: await createServer({ sessionId, principal, authInfo }),
      Transport,
      enableJsonResponse: enableJsonResponse === true,
      // Streams of the sessions have comments of their own.
      keepAliveMs: this.#hosting.keepsResponses ? 0 : KEEP_ALIVE_MS,
    });
    await session.connect();
    return session;
  }

  /** Adds a session that has begun. */
  async admit(session: SdkSession, params: InitializeParams): Promise<void> {
    if (this.#isClosed) return this.closeServer(session);
    const id = session.sessionId;
    this.#add(session);
    this.#begun++;
    const { shared } = this.#hosting;
    await Promise.all([
      storeClient(this.#options.sessions.info, id, params),
      shared && this.#hosting.store(id, JSON.stringify(params)),
      shared?.claim(id),
    ]);
  }

  /**
   * Takes over a session whose server is gone.
   *
   * @returns Whether its requests are to be answered here, or refused. If not,
   * another node has taken it over.
   */
  rebuild(id: string, caller: SdkFetchOptions): Promise<boolean> {
    let rebuilding = this.#rebuilding.get(id);
    if (rebuilding === undefined) {
      rebuilding = this.#rebuild(id, caller)
        .finally(() => this.#rebuilding.delete(id));
      this.#rebuilding.set(id, rebuilding);
    }
    return rebuilding;
  }

  /** Ends a session, on all nodes. */
  async end(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#sessions.remove(session);
    await deleteSession(this.#options.sessions, id);
    await this.closeServer(session);
  }

  /** Closes the server of a session that another node has taken over. */
  retire(id: string): void {
    this.#sessions.retire(id);
  }

  /** Closes a server. */
  async closeServer(session: SdkSession | undefined): Promise<void> {
    try {
      await session?.close();
    } catch (error) {
      this.#hosting.report(error as Error);
    }
  }

  /** Waits until no request is being answered, or for some time. */
  drain(drainMs: number): Promise<void> {
    return waitUntil(() => !this.#sessions.isBusy, drainMs);
  }

  /** Closes all servers. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(
      this.#sessions.clear().map((session) => this.closeServer(session)),
    );
  }

  async #rebuild(id: string, caller: SdkFetchOptions): Promise<boolean> {
    const hosting = this.#hosting;
    if (this.#sessions.get(id) !== undefined) return true;
    // The guard refuses the request.
    if (!await hosting.belongsTo(id, caller.principal)) return true;
    const stored = await hosting.load(id);
    if (stored === undefined || this.#isClosed) return true;
    if (!await hosting.shared!.claim(id)) return false;
    let session: SdkSession | undefined;
    try {
      session = await this.create(id, caller);
      await this.#replay(session, stored);
    } catch (error) {
      hosting.report(error as Error);
      await this.closeServer(session);
      return true;
    }
    if (this.#isClosed) await this.closeServer(session);
    else {
      this.#add(session);
      this.#rebuilt++;
    }
    return true;
  }

  async #replay(
    session: SdkSession,
    { initialize, subscriptions }: StoredSession,
  ): Promise<void> {
    const { info } = this.#options.sessions;
    const logLevel = await info.getLogLevel(session.sessionId)
      .catch(() => undefined);
    await replayTo(session, {
      initialize: JSON.parse(initialize),
      logLevel,
      subscriptions,
    });
  }

  #add(session: SdkSession): void {
    session.onClose = () => void this.#onServerClosed(session);
    this.#sessions.add(session);
    session.start(this.#options.sessions.streams, this.#hosting.report);
  }

  /** A tool of the server has closed it: the session is over. */
  async #onServerClosed(session: SdkSession): Promise<void> {
    const id = session.sessionId;
    if (this.#sessions.get(id) === session) await this.end(id);
  }
}
