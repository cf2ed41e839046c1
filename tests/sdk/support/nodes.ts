import type { RefusalReason } from "@crossmcp/session-manager";
import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import type { SdkHandler } from "@crossmcp/session-manager/sdk";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import type { Fetch } from "../../e2e/support/clients.ts";
import { until } from "../../e2e/support/until.ts";
import { callerOf } from "./caller.ts";
import { Probe, type Sdk } from "./servers.ts";

/** The arguments of `onRefuse`. */
type Refusal = [reason: RefusalReason, principal: string | undefined];

/** A node of a cluster in this process. */
export interface Node {
  readonly name: string;
  readonly sessions: ClusterSessions;
  readonly handler: SdkHandler;
  readonly probe: Probe;
  /** Sends requests to this node. */
  readonly fetch: Fetch;
}

/** A cluster in this process. */
export interface Nodes extends AsyncDisposable {
  readonly all: readonly Node[];
  /** Sends each request to the next node that was not killed. */
  readonly fetch: Fetch;
  /** The errors that were reported to `onError`. */
  readonly reported: readonly Error[];
  /** What `onRefuse` was told on any node. */
  readonly refused: readonly Refusal[];
  /** Returns the node that has the server of a session. */
  hostOf(): Node;
  /** Cuts a node off, like the death of its process. */
  kill(node: Node): void;
}

export const HEARTBEAT_MS = 50;
/** Where the requests go; nobody listens there. */
export const NODES_URL: URL = new URL("http://localhost/mcp");

/** Options of {@linkcode startNodes}. */
export interface NodesOptions {
  readonly count?: number;
  readonly idleTimeoutMs?: number;
  readonly bodyTimeoutMs?: number;
}

/** Starts nodes with a server of the official SDK each. */
export async function startNodes(
  sdk: Sdk,
  { count = 3, idleTimeoutMs = 60_000, bodyTimeoutMs }: NodesOptions = {},
): Promise<Nodes> {
  const network = new LossyNetwork();
  const reported: Error[] = [];
  const refused: Refusal[] = [];
  const dead = new Set<Node>();
  const all = Array.from({ length: count }, (_, index): Node => {
    const name = `node-${index}`;
    const sessions = new ClusterSessions(network.bus(), {
      cluster: { node: name, heartbeatMs: HEARTBEAT_MS, requestTimeoutMs: 500 },
      streams: { replay: {} },
      info: { idleTimeoutMs },
      http: { maxBodyBytes: 100_000, bodyTimeoutMs },
      onRefuse: (...refusal) => refused.push(refusal),
      onError: (error) => reported.push(error),
    });
    const probe = new Probe();
    const handler = sdk.serve(sessions, probe);
    const fetch: Fetch = (url, init) => {
      const request = new Request(url, init);
      return handler.fetch(request, callerOf(request));
    };
    return { name, sessions, handler, probe, fetch };
  });
  await until(
    () => all.every(({ sessions }) => sessions.nodes().length === count),
    "the nodes to know each other",
  );
  let turn = 0;
  return {
    all,
    reported,
    refused,
    fetch: (url, init) => {
      const alive = all.filter((node) => !dead.has(node));
      return alive[turn++ % alive.length]!.fetch(url, init);
    },
    hostOf: () =>
      all.find((node) => !dead.has(node) && node.handler.stats().hosted > 0)!,
    kill: (node) => {
      dead.add(node);
      network.partition([...dead].map(({ name }) => [name]));
    },
    [Symbol.asyncDispose]: async () => {
      network.heal();
      await Promise.all(all.map(({ sessions }) => sessions.close()));
    },
  };
}
