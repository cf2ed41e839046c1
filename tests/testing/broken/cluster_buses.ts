import type { MessageBus } from "@crossmcp/session-manager/cluster";
import { LossyNetwork } from "@crossmcp/session-manager/testing";

/** Returns a new bus for a cluster. */
export type CreateBus = (cluster: string) => MessageBus;

/** Networks whose buses have one fault each, by the name of the fault. */
export const brokenBuses: Record<string, () => CreateBus> = {
  "delivers broadcasts to the sender": withMethods((bus) => {
    let receive: (text: string) => void = () => {};
    return {
      start: (node, given) => bus.start(node, receive = given),
      publish: (text, to) => {
        if (to === undefined) setTimeout(receive, 0, text);
        return bus.publish(text, to);
      },
    };
  }),
  "delivers every message twice": () => {
    const network = new LossyNetwork({ duplicateRate: 1 });
    return (cluster) => network.bus(cluster);
  },
  "ignores the cluster name": () => {
    const network = new LossyNetwork();
    return () => network.bus();
  },
  "ignores the case of cluster names": () => {
    const network = new LossyNetwork();
    return (cluster) => network.bus(cluster.toLowerCase());
  },
  "trims cluster names": () => {
    const network = new LossyNetwork();
    return (cluster) => network.bus(cluster.trim());
  },
  "delivers targeted messages to everyone": withMethods((bus) => ({
    publish: (text) => bus.publish(text, undefined),
  })),
  "drops targeted messages": withMethods((bus) => ({
    publish: (text, to) => to === undefined ? bus.publish(text, to) : undefined,
  })),
  "drops every message": withMethods(() => ({ publish: () => {} })),
  "delivers before publish returns": () => {
    const buses = new Map<MessageBus, {
      cluster: string;
      node: string;
      receive: (text: string) => void;
    }>();
    return (cluster) => {
      const own: MessageBus = {
        start: (node, receive) =>
          void buses.set(own, { cluster, node, receive }),
        publish: (text, to) => {
          for (const [bus, { node, receive, ...other }] of buses) {
            if (bus === own || other.cluster !== cluster) continue;
            if (to === undefined || to === node) receive(text);
          }
        },
        close: () => void buses.delete(own),
      };
      return own;
    };
  },
  "keeps receiving after close": withMethods(() => ({ close: () => {} })),
  "drops messages in flight on close": withMethods((bus) => {
    const timers = new Set<ReturnType<typeof setTimeout>>();
    return {
      publish: (text, to) => {
        timers.add(setTimeout(() => bus.publish(text, to), 5));
      },
      close: () => {
        for (const timer of timers) clearTimeout(timer);
        return bus.close();
      },
    };
  }),
  "close fails the second time": withMethods((bus) => {
    let isClosed = false;
    return {
      close: () => {
        if (isClosed) throw new Error("It is closed already.");
        isClosed = true;
        return bus.close();
      },
    };
  }),
  "close hangs before start": withMethods((bus) => {
    let isStarted = false;
    return {
      start: (node, receive) => {
        isStarted = true;
        return bus.start(node, receive);
      },
      close: () => isStarted ? bus.close() : new Promise(() => {}),
    };
  }),
  "start hangs if the bus is closed meanwhile": withMethods((bus) => {
    let isClosed = false;
    return {
      start: async (node, receive) => {
        await bus.start(node, receive);
        if (isClosed) await new Promise(() => {});
      },
      close: () => {
        isClosed = true;
        return bus.close();
      },
    };
  }),
  "claims to be down": withMethods(() => ({ isDown: true })),
  "has an impossible limit": withMethods(() => ({ maxLength: 0 })),
  "refuses messages of its maxLength": withMethods((bus) => ({
    maxLength: 65_536,
    publish: (text, to) => {
      if (text.length > 60_000) throw new Error("It is too long.");
      return bus.publish(text, to);
    },
  })),
  "has no room for long names at its maxLength": withMethods((bus) => ({
    maxLength: 65_536,
    publish: (text, to) => {
      if (text.length + (to?.length ?? 0) > 65_600) {
        throw new Error("Too long.");
      }
      return bus.publish(text, to);
    },
  })),
  "shortens names to 200 characters": withMethods((bus) => ({
    start: (node, receive) => bus.start(node.slice(0, 200), receive),
    publish: (text, to) => bus.publish(text, to?.slice(0, 200)),
  })),
  "refuses unknown names": withMethods((bus) => ({
    publish: (text, to) => {
      if (to === "unknown node") throw new Error("There is no such node.");
      return bus.publish(text, to);
    },
  })),
  "drops messages of a burst": withMethods((bus) => {
    let inTurn = 0;
    return {
      publish: (text, to) => {
        if (inTurn++ === 0) setTimeout(() => inTurn = 0);
        if (inTurn <= 256) return bus.publish(text, to);
      },
    };
  }),
  "truncates long messages": withMethods((bus) => ({
    publish: (text, to) => bus.publish(text.slice(0, 65_536), to),
  })),
  "truncates messages at NUL": withMethods((bus) => ({
    publish: (text, to) => bus.publish(text.split("\0", 1)[0]!, to),
  })),
};

/** Returns buses of a reliable network, with some methods replaced. */
function withMethods(
  replace: (bus: MessageBus) => Partial<MessageBus>,
): () => CreateBus {
  return () => {
    const network = new LossyNetwork();
    return (cluster) => {
      const bus = network.bus(cluster);
      return {
        start: (node, receive) => bus.start(node, receive),
        publish: (text, to) => bus.publish(text, to),
        close: () => bus.close(),
        ...replace(bus),
      };
    };
  };
}
