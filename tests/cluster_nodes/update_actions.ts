import type { LoggingLevel } from "@crossmcp/session-manager";
import type { NodeActions } from "./node_actions.ts";

/** What is known about some sessions. */
export interface Knowledge {
  /** Those with a stream. */
  readonly attached: string[];
  readonly levels: [id: string, level: LoggingLevel | undefined][];
  /** Who subscribed to each resource. */
  readonly subscribers: [uri: string, ids: string[]][];
}

const LEVELS: readonly LoggingLevel[] = ["debug", "info", "error", "alert"];

/** The resources that sessions subscribe to. */
export const URIS: readonly string[] = ["file:///a", "file:///b", "file:///c"];

/** Changes of all kinds, without end. Runs where the node is. */
export class UpdateActions {
  readonly #node: NodeActions;
  readonly #attached: Set<string> = new Set();
  readonly #levels: Map<string, LoggingLevel> = new Map();
  readonly #subscribed: Map<string, Set<string>> = new Map();
  #updating: { isOver: boolean; ended: Promise<void> } | undefined;

  /** @param node The node that makes the changes. */
  constructor(node: NodeActions) {
    this.#node = node;
  }

  /** Changes sessions at random, one after the other, until it is stopped. */
  start(ids: readonly string[]): void {
    const updating = { isOver: false, ended: Promise.resolve() };
    const update = async () => {
      for (let turn = 0; !updating.isOver; turn++) {
        // Different sessions at once, so that some changes are in flight
        // together.
        const some = ids.filter((_, index) => index % 16 === turn % 16);
        await Promise.all(some.map((id) => this.#change(id)));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    };
    updating.ended = update();
    this.#updating = updating;
  }

  /** Stops; returns what must be known about the sessions now. */
  async stop(ids: readonly string[]): Promise<Knowledge> {
    const updating = this.#updating!;
    updating.isOver = true;
    await updating.ended;
    return {
      attached: ids.filter((id) => this.#attached.has(id)),
      levels: ids.map((id) => [id, this.#levels.get(id)]),
      subscribers: URIS.map((uri) => [
        uri,
        ids.filter((id) => this.#subscribed.get(id)?.has(uri)),
      ]),
    };
  }

  /** What this node knows about sessions, no matter which node changed them. */
  async knowledge(ids: readonly string[]): Promise<Knowledge> {
    const { streams, info } = this.#node.sessions;
    const attached = await Promise.all(ids.map((id) => streams.has(id)));
    const levels = await Promise.all(
      ids.map((id) => info.getLogLevel(id).catch(() => undefined)),
    );
    const subscribers = await Promise.all(
      URIS.map((uri) => info.getSubscriptions(uri)),
    );
    return {
      attached: ids.filter((_, index) => attached[index]),
      levels: ids.map((id, index) => [id, levels[index]]),
      subscribers: URIS.map((uri, index) => [
        uri,
        ids.filter((id) => subscribers[index]!.includes(id)),
      ]),
    };
  }

  async #change(id: string): Promise<void> {
    const { streams, info } = this.#node.sessions;
    const uri = oneOf(URIS);
    const subscribed = this.#subscribed.get(id) ?? new Set();
    this.#subscribed.set(id, subscribed);
    switch (Math.floor(Math.random() * 7)) {
      case 0:
      case 1:
        this.#attached.add(id);
        return await this.#node.open(id);
      case 2:
        this.#attached.delete(id);
        return await streams.delete(id);
      case 3: {
        const level = oneOf(LEVELS);
        this.#levels.set(id, level);
        return await info.setLogLevel(id, level);
      }
      case 4:
        subscribed.add(uri);
        return await info.addSubscription(id, uri);
      case 5:
        subscribed.delete(uri);
        return await info.removeSubscription(id, uri);
      default:
        this.#levels.delete(id);
        subscribed.clear();
        return await info.delete(id);
    }
  }
}

function oneOf<Value>(values: readonly Value[]): Value {
  return values[Math.floor(Math.random() * values.length)]!;
}
