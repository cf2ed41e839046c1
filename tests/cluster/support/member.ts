import {
  ClusterSessions,
  type MessageBus,
} from "@crossmcp/session-manager/cluster";
import type { LossyNetwork } from "@crossmcp/session-manager/testing";
import { Client } from "../../model/client.ts";
import { ANSWER_MS, BEAT_MS } from "./timing.ts";

/** A stream. */
export interface Opened {
  readonly client: Client;
  /** Since when its session is there; it may have been elsewhere before. */
  readonly since: number;
}

/** A node, and what a test knows of it. */
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
        heartbeatMs: BEAT_MS,
        requestTimeoutMs: ANSWER_MS,
      },
      streams: { keepAliveMs: false },
      onError: (error) => this.errors.push(error),
    });
  }

  /**
   * Opens a stream, which is read as soon as there is something.
   *
   * @param id Its session.
   * @param isNew Whether that can have been nowhere else before.
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

  /** Whether it said that something did not arrive. */
  get hasReported(): boolean {
    return this.errors.length > 0 || this.sessions.stats().cluster.lost > 0;
  }
}
