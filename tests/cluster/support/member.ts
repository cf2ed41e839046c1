import {
  ClusterSessions,
  type MessageBus,
} from "@crossmcp/session-manager/cluster";
import type { LossyNetwork } from "@crossmcp/session-manager/testing";
import { Client } from "../../model/client.ts";
import { ANSWER_MS, HEARTBEAT_MS } from "./timing.ts";

/** A stream. */
export interface Opened {
  readonly client: Client;
  /** When its session was created here; it may have been elsewhere before. */
  readonly since: number;
}

/** A node, and what a test knows about it. */
export class Member {
  readonly name: string;
  readonly sessions: ClusterSessions;
  readonly errors: Error[] = [];
  readonly opened: Opened[] = [];
  /** When it died or left. */
  goneAt: number = Infinity;

  constructor(
    network: LossyNetwork,
    name: string,
    bus: MessageBus = network.bus(),
  ) {
    this.name = name;
    this.sessions = new ClusterSessions(bus, {
      cluster: {
        node: name,
        heartbeatMs: HEARTBEAT_MS,
        requestTimeoutMs: ANSWER_MS,
      },
      streams: { keepAliveMs: false },
      onError: (error) => this.errors.push(error),
    });
  }

  /**
   * Opens a stream, which is read as soon as there is something.
   *
   * @param id The session ID.
   * @param isNew Whether the session cannot have been elsewhere before.
   */
  create(
    id: string,
    isNew = false,
  ): { client: Client; created: Promise<void> } {
    const { streams } = this.sessions;
    const client: Client = new Client(id, "count", true, () => {
      void streams.delete(id);
    });
    this.opened.push({ client, since: isNew ? -Infinity : Date.now() });
    const create = async () => await streams.create(id, client.controller);
    return { client, created: create() };
  }

  /** Whether it reported that something did not arrive. */
  get hasReported(): boolean {
    return this.errors.length > 0 || this.sessions.stats().cluster.lost > 0;
  }
}
