import type {
  HostedCall,
  HostedResult,
  SessionHost,
  SharedHosting,
} from "../../contracts/hosting.ts";
import type { SessionRegistry } from "../../metadata/session_registry.ts";
import {
  sessionRegistryOf,
  type StoredInfoSessionManager,
} from "../../metadata/stored_info_session_manager.ts";
import type { ClusterNode } from "../membership/cluster_node.ts";
import type { RequestForwarder } from "./request_forwarder.ts";

/** The host of this node, as other nodes use it. */
type LocalHost = Pick<SessionHost, "answer" | "hosts" | "onHostedElsewhere">;

/** The status of a node that does not have the server: Misdirected Request. */
const MISDIRECTED = 421;

/**
 * The hosts of all nodes. The metadata of a session names its host, so that the
 * newest claim wins, and nothing is left when the session ends.
 */
export class ClusterHosting implements SharedHosting {
  readonly #node: ClusterNode;
  readonly #forwarder: RequestForwarder;
  readonly #registry: SessionRegistry;
  readonly #local: () => LocalHost;

  /**
   * @param node This node, which must not have started.
   * @param forwarder Hands requests to other nodes.
   * @param info The metadata of the sessions.
   * @param local Returns the host of this node.
   */
  constructor(
    node: ClusterNode,
    forwarder: RequestForwarder,
    info: StoredInfoSessionManager,
    local: () => LocalHost,
  ) {
    this.#node = node;
    this.#forwarder = forwarder;
    this.#registry = sessionRegistryOf(info);
    this.#local = local;
    node.respond("hosts", ({ session }) => local().hosts(session));
    node.handle("hosted", ({ id }) => {
      // Of two nodes that claim a session at once, the metadata names one.
      void this.isHost(id).then((isHost) => {
        if (!isHost) local().onHostedElsewhere(id);
      }).catch((error) => node.report(error));
    });
  }

  async findHost(id: string): Promise<string | undefined> {
    await this.#node.ready;
    const host = await this.#registry.peek(id, "host");
    if (host !== undefined && this.#node.others.includes(host)) return host;
    // The guard refuses sessions that nobody knows; don't ask for them.
    if (await this.#registry.registration(id) === undefined) return undefined;
    // It is gone, unless a store has lost the field, or has not restored it yet.
    const responses = await this.#node.request(
      { kind: "hosts", session: id },
      { isSufficient: (response) => response === true },
    );
    return [...responses].find(([, response]) => response === true)?.[0];
  }

  async claim(id: string): Promise<boolean> {
    await this.#registry.write(id, "host", this.#node.name);
    this.#node.broadcast({ kind: "hosted", id });
    return await this.isHost(id);
  }

  async isHost(id: string): Promise<boolean> {
    return await this.#registry.peek(id, "host") === this.#node.name;
  }

  async forward(node: string, call: HostedCall): Promise<HostedResult> {
    const result = await this.#forwarder.tryForward(node, {
      purpose: "host",
      ...call,
    });
    if (result.response === undefined) {
      return { failure: result.wasStarted ? "interrupted" : "unstarted" };
    }
    return result.response.status === MISDIRECTED
      ? { failure: "refused" }
      : result;
  }

  /** Answers a request of another node. */
  async answer(call: HostedCall): Promise<Response> {
    return await this.#local().answer(call) ??
      new Response(null, { status: MISDIRECTED });
  }
}
