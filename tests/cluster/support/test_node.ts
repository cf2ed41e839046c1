import type { StreamIntent } from "@crossmcp/session-manager";
import {
  ClusterSessions,
  type ClusterSessionsOptions,
  type MessageBus,
} from "@crossmcp/session-manager/cluster";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { Client, type Kind } from "../../model/client.ts";
import { parseSse } from "../../support/sse_parser.ts";
import { ownedSessionsOf } from "../../../src/cluster/stream_session_manager.ts";
import { ANSWER_MS, HEARTBEAT_MS, pass, settled } from "./timing.ts";

/** A stream, and the client that reads it. */
export interface OpenedStream {
  readonly client: Client;
  readonly created: Promise<void>;
}

/** A node, with the options of its test, and what it reported. */
export class TestNode {
  readonly sessions: ClusterSessions;
  readonly errors: Error[] = [];

  constructor(
    bus: MessageBus,
    { cluster, streams, ...options }: ClusterSessionsOptions,
  ) {
    this.sessions = new ClusterSessions(bus, {
      ...options,
      cluster: {
        heartbeatMs: HEARTBEAT_MS,
        requestTimeoutMs: ANSWER_MS,
        ...cluster,
      },
      streams: { keepAliveMs: false, ...streams },
      onError: (error) => void this.errors.push(error),
    });
  }

  /**
   * Returns whether any node is known to hold a stream of a session, even a
   * node that is down.
   */
  async isAttached(id: string): Promise<boolean> {
    return await ownedSessionsOf(this.sessions.streams).isAttached(id);
  }

  /** Opens a stream; when its client leaves, the session's stream ends. */
  open(
    id: string,
    { kind = "count", expect }: { kind?: Kind; expect?: StreamIntent } = {},
  ): OpenedStream {
    const { streams } = this.sessions;
    const client = new Client(
      id,
      kind,
      kind !== "unbuffered",
      () => void streams.delete(id),
    );
    // As the guard does.
    const takeBack = expect &&
      streams.prepareStream(id, { ...expect, persistent: true });
    const create = async () => {
      await streams.create(id, client.controller);
      takeBack?.();
    };
    return { client, created: create() };
  }
}

/** Nodes that know each other. */
export interface Nodes {
  readonly network: LossyNetwork;
  readonly nodes: readonly TestNode[];
}

/** Starts nodes. */
export async function start(
  time: FakeTime,
  names: readonly string[],
  { network = new LossyNetwork(), ...options }:
    & ClusterSessionsOptions
    & { network?: LossyNetwork } = {},
): Promise<Nodes> {
  const nodes = names.map((node) => {
    const cluster = { ...options.cluster, node };
    return new TestNode(network.bus(), { ...options, cluster });
  });
  const ready = nodes.map(({ sessions }) => sessions.ready);
  await settled(time, Promise.all(ready), "ready");
  return { network, nodes };
}

/** Closes nodes, and expects that no timer is left. */
export async function stop(
  time: FakeTime,
  nodes: readonly TestNode[],
): Promise<void> {
  const closing = nodes.map(({ sessions }) => sessions.close());
  await settled(time, Promise.all(closing), "close");
  await pass(time, 20);
  assert(!time.next(), "A timer still runs.");
}

/** Returns what each node returns for `has`. */
export async function views(
  time: FakeTime,
  nodes: readonly TestNode[],
  id: string,
): Promise<boolean[]> {
  const has = nodes.map(({ sessions }) => sessions.streams.has(id));
  return await settled(time, Promise.all(has), "has");
}

/**
 * The data that a client has received, without events that only carry an ID.
 */
export function dataOf({ text }: Client): string[] {
  return parseSse(text).events.map(({ data }) => data).filter(Boolean);
}

/** The ID of the newest event that a client has received. */
export function positionOf({ text }: Client): string {
  const { lastEventId } = parseSse(text);
  assert(lastEventId !== "", `No event has an ID: ${text}`);
  return lastEventId;
}
