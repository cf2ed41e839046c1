import { callback } from "../callbacks.ts";
import type { StreamExpectation } from "../in_memory/expected_streams.ts";
import { assertSendable, StreamEngine } from "../in_memory/stream_engine.ts";
import type {
  CloseOptions,
  ReaderOptions,
  ReportingOptions,
  StreamOptions,
} from "../options.ts";
import { optionGroup, resolveStreamOptions } from "../resolve_options.ts";
import type { StreamStats } from "../stats.ts";
import { StreamSessionManager } from "../stream_session_manager.ts";
import { Arrivals } from "./arrivals.ts";
import { GossipedDirectory } from "./gossiped_directory.ts";
import type { ClusterNode } from "./node.ts";
import { ParkedSessions } from "./parked_sessions.ts";
import type { SessionDirectory } from "./session_directory.ts";
import { type Comer, SessionMoves } from "./session_moves.ts";

/** Options of a manager of streams on several nodes. */
export interface ClusterStreamSessionManagerOptions
  extends StreamOptions, ReportingOptions, ReaderOptions {
  /**
   * The position of this node's events when it heard of a session: what was sent to
   * everyone before is not for it.
   *
   * @default undefined everything that is kept is for every session
   */
  readonly since?: ((id: string) => string | undefined) | undefined;
}

/** How often a text may be passed on whose session moves at the same time. */
const MAX_HOPS = 3;

/**
 * Holds the streams of this node, and reaches those of all others.
 *
 * `send` goes once to every other node, or only to those that hold a session it
 * names. The streams of this node get it at once, those of others after its turn of
 * the event loop. `create` and `delete` resolve when the other nodes know.
 *
 * With `replay`, a client may come back to another node than the one it left: that
 * one hands over what the client has missed. It keeps it for as long as
 * `replay.maxAgeMs` after the stream has ended, and as long as it lives.
 */
export class ClusterStreamSessionManager extends StreamSessionManager {
  readonly #node: ClusterNode;
  readonly #engine: StreamEngine;
  readonly #directory: SessionDirectory;
  readonly #arrivals: Arrivals;
  readonly #moves: SessionMoves;
  /** Sessions that keep their home, where there is something to come back for. */
  readonly #parked: ParkedSessions | undefined;
  /** No earlier one of this node's name has counted as far. */
  #count = Date.now() * 1_000;
  #isClosed = false;

  /**
   * Makes a manager without streams, before its node starts.
   *
   * @param node Knows the other nodes.
   * @param options Limits of this node, and who is told of what.
   * @throws {InvalidArgumentError} For an option that is out of range.
   */
  constructor(node: ClusterNode, options?: ClusterStreamSessionManagerOptions) {
    super();
    const { onError, onEvict, onReset, since } = optionGroup(
      "options",
      options,
    );
    const settings = resolveStreamOptions(options);
    const { ticker } = node;
    this.#node = node;
    this.#engine = new StreamEngine(settings, {
      onError: callback("onError", onError),
      onEvict: callback("onEvict", onEvict),
      onReset: callback("onReset", onReset),
      onDetach: (id) => this.#detached(id),
    }, ticker);
    this.#directory = new GossipedDirectory(
      node,
      (id, wasHere) => this.#claimedElsewhere(id, wasHere),
    );
    this.#arrivals = new Arrivals(this.#engine);
    this.#moves = new SessionMoves(
      node,
      this.#engine,
      this.#directory,
      since ?? (() => undefined),
    );
    const { replay } = settings;
    this.#parked = replay &&
      new ParkedSessions(replay.maxAgeMs, ticker, (id) => this.#release(id));
    this.#listen();
  }

  /**
   * Attaches a stream to a session. The latest stream wins: an older one of the
   * session is ended, on whichever node it is. Resolves when the other nodes know,
   * and with replay when the stream has what its client missed elsewhere.
   *
   * @param id The session: 1 to 256 characters of visible ASCII (0x21 to 0x7E).
   * @param controller The controller of the stream to write to.
   * @throws {InvalidArgumentError} For an id or a controller that is none.
   * @throws {SessionLimitError} When `maxSessions` streams are attached to this
   * node already.
   * @throws {ClosedError} After the manager was closed.
   */
  override create(
    id: string,
    controller: ReadableStreamDefaultController,
  ): Promise<void> {
    this.#engine.assertCreatable(id, controller);
    const expected = this.#engine.expected(id);
    const lastEventId = this.#engine.log && expected?.lastEventId;
    const isElsewhere = !this.#directory.isHere(id) || this.#moves.has(id);
    if (lastEventId !== undefined && isElsewhere) {
      this.#engine.takeExpected(id);
      return this.#arrive(id, controller, { ...expected, lastEventId });
    }
    this.#arrivals.end(id);
    this.#engine.create(id, controller);
    return this.#claimed(id);
  }

  /**
   * Prepares for the next `create` of a session on this node, see
   * `InMemoryStreamSessionManager.expect`. `sessions.guard` does this for every GET.
   *
   * @param id The session.
   * @param expectation What is known of the stream.
   * @returns Takes it back, if no stream was created.
   * @throws {InvalidArgumentError} For an id that is none.
   * @throws {SessionLimitError} When `maxSessions` streams are attached already.
   * @throws {ClosedError} After the manager was closed.
   */
  expect(id: string, expectation: StreamExpectation = {}): () => void {
    return this.#engine.expect(id, expectation);
  }

  /** The id of the newest event of this node; `undefined` without replay. */
  get position(): string | undefined {
    return this.#engine.log?.position;
  }

  /**
   * Detaches a session and closes its stream, on whichever node it is. An unknown id
   * changes nothing. Resolves when the other nodes know.
   *
   * @param id The session.
   */
  override async delete(id: string): Promise<void> {
    const arrived = this.#arrivals.end(id);
    if (arrived || this.#engine.holds(id)) {
      this.#engine.delete(id);
      if (arrived) this.#detached(id);
      return await this.#node.settled();
    }
    if (this.#isClosed) return;
    const found = await this.#directory.find(id);
    if (found?.isParked || found?.node === this.#node.name) return;
    const nodes = found && [found.node];
    await this.#node.askAny({ kind: "delete", id }, { nodes });
  }

  /**
   * Tells whether a stream is attached to a session, on whichever node, other than
   * one that is expected to be replaced on this node. Only for a session that no node
   * is known to hold are the others asked.
   *
   * @param id The session.
   */
  override async has(id: string): Promise<boolean> {
    const expected = this.#engine.expected(id);
    if (expected !== undefined) return expected.isPlace === true;
    if (this.#engine.holds(id)) return true;
    if (this.#isClosed) return false;
    const found = await this.#directory.find(id);
    if (found !== undefined) return !found.isParked && !found.isSilent;
    return await this.#node.askAny({ kind: "has", id });
  }

  /**
   * Whether any node is known to hold a stream of a session, also one that is taken
   * for dead and may come back. Nobody is asked.
   *
   * @param id The session.
   */
  async isAttached(id: string): Promise<boolean> {
    const found = await this.#directory.find(id);
    return found !== undefined && !found.isParked;
  }

  /**
   * Writes the same text to sessions, on whichever nodes they are. See
   * `InMemoryStreamSessionManager.send` for what each node does.
   *
   * @param sessions The sessions; `undefined` means everyone, `[]` nobody.
   * @param data One or more complete SSE frames. Nothing is written for `""`.
   * @throws {InvalidArgumentError} When `data` is no string or `sessions` neither
   * an array nor `undefined`; nobody got anything then.
   */
  override send(
    sessions: string[] | undefined,
    data: string,
  ): void | Promise<void> {
    assertSendable(sessions, data);
    if (data === "" || sessions?.length === 0 || this.#isClosed) return;
    if (sessions === undefined) {
      const origin = { node: this.#node.name, count: ++this.#count };
      this.#engine.send(undefined, data, origin);
      this.#node.tellAll({ kind: "send", data, count: origin.count });
    } else return this.#sendTo(sessions, data, 0);
  }

  /** What this node has counted so far. It costs a look at each stream. */
  stats(): StreamStats {
    return this.#engine.stats();
  }

  /**
   * Closes every stream of this node, at once or little by little. A later `create`
   * is refused. The streams of other nodes go on.
   *
   * @param options Whether to take time for it.
   * @throws {InvalidArgumentError} For an option that is out of range; as a
   * rejected promise.
   */
  async close(options?: CloseOptions): Promise<void> {
    this.#arrivals.close();
    await this.#engine.close(options);
    this.#isClosed = true;
    this.#parked?.close();
  }

  /** Forgets what is kept for a session that will not come back. */
  forget(id: string): void {
    if (this.#parked?.delete(id)) this.#release(id);
  }

  #listen(): void {
    const node = this.#node;
    node.handle("send", ({ sessions, data, count, hops = 0 }, from) => {
      if (sessions !== undefined) {
        void this.#sendTo(sessions, data, hops + 1);
        return;
      }
      this.#engine.send(undefined, data, { node: from, count: count ?? 0 });
    });
    node.listen({
      onReader: (name) =>
        node.tell(name, { kind: "count", count: this.#count }),
    });
    node.handle("count", ({ count }, from) => {
      this.#engine.log?.startFrom({ node: from, count });
    });
    node.answer("has", ({ id }) => this.#holds(id));
    node.answer("delete", async ({ id }) => {
      if (!this.#holds(id)) return false;
      await this.delete(id);
      return true;
    });
  }

  #holds(id: string): boolean {
    return this.#engine.holds(id) || this.#arrivals.has(id);
  }

  #sendTo(
    sessions: readonly string[],
    data: string,
    hops: number,
  ): void | Promise<void> {
    const ids = sessions.length === 1 ? sessions : [...new Set(sessions)];
    const here = ids.filter((id) => this.#directory.isHere(id));
    if (here.length > 0) this.#engine.send(here, data);
    if (here.length === ids.length || hops > MAX_HOPS) return;
    const located = this.#directory.locate(ids);
    const tell = (byNode: ReadonlyMap<string, string[]>) => {
      for (const [node, sessions] of byNode) {
        this.#node.tell(node, { kind: "send", sessions, data, hops });
      }
    };
    return located instanceof Promise ? located.then(tell) : tell(located);
  }

  async #claimed(id: string): Promise<void> {
    this.#parked?.delete(id);
    await this.#directory.claim(id);
    // It may have failed with the first that was written to it.
    if (!this.#engine.holds(id)) this.#detached(id);
    await this.#node.settled();
  }

  /** A stream whose client may have missed something on another node. */
  async #arrive(
    id: string,
    controller: ReadableStreamDefaultController,
    expected: StreamExpectation & Comer,
  ): Promise<void> {
    const attach = this.#arrivals.begin(id, controller, expected);
    this.#parked?.delete(id);
    attach(await this.#moves.begin(id, expected));
    if (!this.#holds(id)) this.#detached(id);
    await this.#node.settled();
  }

  /** A stream of this node has ended. */
  #detached(id: string): void {
    if (!this.#directory.isHere(id)) return;
    if (this.#parked === undefined) return this.#directory.release(id);
    this.#directory.park(id);
    this.#parked.add(id);
  }

  /** Another node has claimed a session. */
  #claimedElsewhere(id: string, wasHere: boolean): void {
    // Also one that a drain has ended: its late cancel must not reach the newer one.
    this.#engine.supersede(id);
    if (!wasHere) return;
    this.#parked?.delete(id);
    this.#arrivals.end(id);
    this.#engine.log?.leave(id);
  }

  #release(id: string): void {
    this.#directory.release(id);
    // What is sent to it from now on is nowhere kept.
    this.#engine.log?.forget(id);
  }
}
