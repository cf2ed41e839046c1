import type { MessageBus } from "@crossmcp/session-manager/cluster";
import { LossyNetwork } from "@crossmcp/session-manager/testing";

/** Makes a bus of a cluster. */
export type CreateBus = (cluster: string) => MessageBus;

/** Networks whose buses have one fault each. */
export const brokenBuses: Record<string, () => CreateBus> = {
  "echoes": altered((bus) => {
    let receive: (text: string) => void = () => {};
    return {
      start: (node, given) => bus.start(node, receive = given),
      publish: (text, to) => {
        if (to === undefined) setTimeout(receive, 0, text);
        return bus.publish(text, to);
      },
    };
  }),
  "delivers twice": () => {
    const network = new LossyNetwork({ duplicateRate: 1 });
    return (cluster) => network.bus(cluster);
  },
  "has one name": () => {
    const network = new LossyNetwork();
    return () => network.bus();
  },
  "folds the case of names": () => {
    const network = new LossyNetwork();
    return (cluster) => network.bus(cluster.toLowerCase());
  },
  "trims names": () => {
    const network = new LossyNetwork();
    return (cluster) => network.bus(cluster.trim());
  },
  "tells all what is for one": altered((bus) => ({
    publish: (text) => bus.publish(text, undefined),
  })),
  "knows no way to one": altered((bus) => ({
    publish: (text, to) => to === undefined ? bus.publish(text, to) : undefined,
  })),
  "says nothing": altered(() => ({ publish: () => {} })),
  "calls back while it is called": () => {
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
  "hears on after its end": altered(() => ({ close: () => {} })),
  "takes what it said with it": altered((bus) => {
    const waiting = new Set<ReturnType<typeof setTimeout>>();
    return {
      publish: (text, to) => {
        waiting.add(setTimeout(() => bus.publish(text, to), 5));
      },
      close: () => {
        for (const timer of waiting) clearTimeout(timer);
        return bus.close();
      },
    };
  }),
  "cuts long texts": altered((bus) => ({
    publish: (text, to) => bus.publish(text.slice(0, 65_536), to),
  })),
  "ends texts at NUL": altered((bus) => ({
    publish: (text, to) => bus.publish(text.split("\0", 1)[0]!, to),
  })),
};

/** A bus of a good network, of which some is different. */
function altered(
  alter: (bus: MessageBus) => Partial<MessageBus>,
): () => CreateBus {
  return () => {
    const network = new LossyNetwork();
    return (cluster) => {
      const bus = network.bus(cluster);
      return {
        start: (node, receive) => bus.start(node, receive),
        publish: (text, to) => bus.publish(text, to),
        close: () => bus.close(),
        ...alter(bus),
      };
    };
  };
}
