import { waitAtMost } from "../runtime/deadline.ts";
import { Deferred } from "../runtime/deferred.ts";
import type {
  PostgresClient,
  PostgresNotification,
  PostgresPool,
} from "./pool.ts";

/** The first and the longest pause between two attempts, in milliseconds. */
const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;
/**
 * After how long without a result a connection is considered broken, in
 * milliseconds.
 */
const QUERY_TIMEOUT_MS = 10_000;
/** How long `close` waits for the server, in milliseconds. */
const CLOSE_MS = 1_000;

/** A client that listens. */
interface Session {
  readonly client: PostgresClient;
  /** Removes the listeners, and gives the client back. */
  readonly release: (isBroken: boolean) => void;
}

/**
 * One client of the pool, which listens to channels. If its connection breaks,
 * another client takes its place.
 */
export class ListeningConnection {
  readonly #pool: PostgresPool;
  readonly #channels: () => Promise<readonly string[]>;
  readonly #receive: (notification: PostgresNotification) => void;
  #session: Session | undefined;
  #lastError: unknown;
  #isClosed = false;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Resolves when the current session, if there is one, has ended. */
  #broken = new Deferred<void>();

  /**
   * @param pool Where the clients come from.
   * @param channels Returns the names of the channels to listen to.
   * @param receive Called with the notifications of others.
   */
  constructor(
    pool: PostgresPool,
    channels: () => Promise<readonly string[]>,
    receive: (notification: PostgresNotification) => void,
  ) {
    this.#pool = pool;
    this.#channels = channels;
    this.#receive = receive;
  }

  /** Whether there is no connection at the moment. */
  get isDown(): boolean {
    return this.#session === undefined;
  }

  /**
   * Connects and listens. If that fails, it is tried again until it succeeds.
   *
   * @returns Resolves after the first attempt.
   */
  async start(retryMs: number = MIN_RETRY_MS): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#listen(await take(this.#pool));
    } catch (error) {
      this.#lastError = error;
      if (this.#isClosed) return;
      const next = Math.min(2 * retryMs, MAX_RETRY_MS);
      this.#retry = setTimeout(() => void this.start(next), retryMs);
    }
  }

  /**
   * Runs a statement.
   *
   * @throws {Error} If there is no connection, if it breaks, or if the server
   * refuses the statement.
   */
  async query(text: string, values?: unknown[]): Promise<void> {
    const session = this.#session;
    if (session === undefined) {
      throw new Error("PostgreSQL is unavailable.", { cause: this.#lastError });
    }
    const broken = this.#broken.promise.then(() => {
      throw new Error("The connection broke.", { cause: this.#lastError });
    });
    // It may break after the statement.
    broken.catch(() => {});
    const timer = setTimeout(
      () => this.#onBroken(session, new Error("PostgreSQL doesn't answer.")),
      QUERY_TIMEOUT_MS,
    );
    try {
      await Promise.race([session.client.query(text, values), broken]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Stops listening, and gives the client back. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    const { client, release } = session;
    let isClean = false;
    const unlisten = client.query("UNLISTEN *").then(
      () => void (isClean = true),
      () => {},
    );
    await waitAtMost(unlisten, CLOSE_MS);
    release(!isClean);
  }

  async #listen(client: PostgresClient): Promise<void> {
    const onEnd = (error?: Error) => this.#onBroken(session, error);
    let pid: number | undefined;
    // The server sends a node's own notifications back.
    const onNotification = (notification: PostgresNotification) => {
      if (notification.processId !== pid) this.#receive(notification);
    };
    const session: Session = {
      client,
      release: (isBroken) => {
        client.off("notification", onNotification);
        // A connection that is being closed may still fail.
        if (!isBroken) client.off("error", onEnd);
        client.off("end", onEnd);
        client.release(isBroken);
      },
    };
    client.on("error", onEnd);
    client.off("error", ignore);
    client.on("end", onEnd);
    client.on("notification", onNotification);
    try {
      const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
      ({ pid } = rows[0] as { pid: number });
      for (const channel of await this.#channels()) {
        await client.query(`LISTEN "${channel}"`);
      }
      if (this.#isClosed) throw new Error("The bus was closed.");
    } catch (error) {
      session.release(true);
      throw error;
    }
    this.#broken = new Deferred();
    this.#session = session;
  }

  /** Replaces a session whose connection is broken. */
  #onBroken(session: Session, error?: Error): void {
    if (session !== this.#session) return;
    this.#lastError = error ?? new Error("The connection was closed.");
    this.#session = undefined;
    session.release(true);
    this.#broken.resolve();
    void this.start();
  }
}

/**
 * Takes a client out of a pool. Its connection may fail in the same turn, and an
 * error without a listener would end the process: a pool of `pg` passes the
 * client to a callback before that.
 */
function take(pool: PostgresPool): Promise<PostgresClient> {
  return new Promise((resolve, reject) => {
    const onTaken = (client: PostgresClient) => {
      client.on("error", ignore);
      resolve(client);
    };
    const connect = pool.connect.bind(pool) as (
      callback: (error: unknown, client?: PostgresClient) => void,
    ) => Promise<PostgresClient> | undefined;
    const taken = connect((error, client) =>
      client === undefined ? reject(error) : onTaken(client)
    );
    // Objects without callbacks return a promise.
    taken?.then(onTaken, reject);
  });
}

function ignore(): void {}
