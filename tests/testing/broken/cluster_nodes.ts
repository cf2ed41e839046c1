import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import {
  type ClusterFactory,
  type ClusterNodeOptions,
  LossyNetwork,
} from "@crossmcp/session-manager/testing";
import { killOn } from "../../cluster/support/kill.ts";

/** What a suite needs to make nodes. */
export type Nodes = Pick<ClusterFactory, "createNode" | "kill">;

/** Changes what a node does. */
type Break = (node: ClusterSessions, network: LossyNetwork) => void;

/** Nodes without a fault. */
export const soundNodes: () => Nodes = faulty(() => {});

/** Nodes with one fault each. */
export const brokenNodes: Record<string, () => Nodes> = {
  "are alone": () => {
    const kill = () => {};
    const createNode = (_: string, options: ClusterNodeOptions) =>
      new ClusterSessions(new LossyNetwork().bus(), options);
    return { createNode, kill };
  },
  "send twice": faulty(({ streams }) => {
    const send = streams.send.bind(streams);
    streams.send = (ids, text) => {
      send(ids, text);
      send(ids, text);
    };
  }),
  "let sends overtake each other": faulty(({ streams }) => {
    const send = streams.send.bind(streams);
    streams.send = (ids, text) => {
      if (ids !== undefined) return send(ids, text);
      setTimeout(() => send(ids, text), 5);
    };
  }),
  "lose every fiftieth text": faulty(({ streams }) => {
    const send = streams.send.bind(streams);
    let count = 0;
    streams.send = (ids, text) => {
      if (++count % 50 > 0) send(ids, text);
    };
  }),
  "cut long texts": faulty(({ streams }) => {
    const send = streams.send.bind(streams);
    streams.send = (ids, text) =>
      send(ids, text.replace(/^(.{100000}).*$/m, "$1"));
  }),
  "take 1,000 ids": faulty(({ streams }) => {
    const send = streams.send.bind(streams);
    streams.send = (ids, text) => send(ids?.slice(0, 1_000), text);
  }),
  "do not wait until others know of a stream": faulty(({ streams }) => {
    const create = streams.create.bind(streams);
    streams.create = (id, controller) => {
      void create(id, controller);
      return Promise.resolve();
    };
  }),
  "do not wait until others know of a write": faulty(({ info }) => {
    const set = info.setLogLevel.bind(info);
    info.setLogLevel = (id, level) => {
      setTimeout(() => void Promise.resolve(set(id, level)).catch(() => {}), 5);
      return Promise.resolve();
    };
  }),
  "delete nothing elsewhere": faulty((node) => {
    const { streams } = node;
    const remove = streams.delete.bind(streams);
    streams.delete = async (id) => {
      if (node.stats().attached > 0) await remove(id);
    };
  }),
  "know of their own streams only": faulty(({ streams }) => {
    const create = streams.create.bind(streams);
    const own = new Set<string>();
    streams.create = async (id, controller) => {
      await create(id, controller);
      own.add(id);
    };
    streams.has = (id) => Promise.resolve(own.has(id));
  }),
  "never give way": faulty(({ streams }) => {
    const create = streams.create.bind(streams);
    streams.create = (id, controller) => {
      // The stream that is attached goes on under a name that nobody knows.
      const kept = new Proxy(controller, {
        get: (target, name) => {
          if (name === "close" || name === "error") return () => {};
          const value = Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      return create(id, kept);
    };
  }),
  "leave without a word": faulty((node, network) => {
    const close = node.close.bind(node);
    node.close = (options) => {
      killOn(network)(node);
      return close(options);
    };
  }),
  "take nobody for dead": configured((options) => ({
    ...options,
    cluster: { ...options.cluster, heartbeatMs: 60_000 },
  })),
  "choose their own names": configured(({ cluster, ...options }) => ({
    ...options,
    cluster: { ...cluster, node: undefined },
  })),
  "keep levels to themselves": faulty(({ info }) => {
    const levels = new Map<string, unknown>();
    info.setLogLevel = (id, level) => {
      levels.set(id, level);
      return Promise.resolve();
    };
    info.getLogLevel = (id) => Promise.resolve(levels.get(id) as "info");
  }),
  "forget a session that another node writes to": faulty(({ info }) => {
    const set = info.setClientCapabilities.bind(info);
    info.setClientCapabilities = async (id, capabilities) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await info.delete(id);
      await set(id, capabilities);
    };
  }),
  "notify twice": faulty(({ subscriptions }) => {
    const send = subscriptions.send.bind(subscriptions);
    subscriptions.send = async (notification) => {
      await send(notification);
      await send(notification);
    };
  }),
  "end no subscription": faulty(({ subscriptions }) => {
    subscriptions.close = () => Promise.resolve(false);
  }),
  "end the subscriptions of every origin": faulty(({ subscriptions }) => {
    const closeAll = subscriptions.closeAll.bind(subscriptions);
    subscriptions.closeAll = (_, reason) => closeAll(undefined, reason);
  }),
  "remember everyone": faulty((node) => {
    const nodes = node.nodes.bind(node);
    const seen = new Map<string, boolean>();
    node.nodes = () => {
      for (const { name, isSelf } of nodes()) seen.set(name, isSelf);
      return [...seen].map(([name, isSelf]) => ({ name, isSelf }));
    };
  }),
  "are in one cluster": configured((options) => options, () => ""),
};

/** Nodes that are made as asked for, and broken then. */
function faulty(break_: Break): () => Nodes {
  return () => {
    const network = new LossyNetwork();
    return {
      createNode: (cluster, options) => {
        const node = new ClusterSessions(network.bus(cluster), options);
        break_(node, network);
        return node;
      },
      kill: killOn(network),
    };
  };
}

/** Nodes that are made otherwise than asked for. */
function configured(
  change: (options: ClusterNodeOptions) => ClusterNodeOptions,
  rename: (cluster: string) => string = (cluster) => cluster,
): () => Nodes {
  return () => {
    const network = new LossyNetwork();
    return {
      createNode: (cluster, options) =>
        new ClusterSessions(network.bus(rename(cluster)), change(options)),
      kill: killOn(network),
    };
  };
}
