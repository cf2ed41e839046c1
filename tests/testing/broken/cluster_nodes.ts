import type {
  NotifyTarget,
  ServerNotification,
} from "@crossmcp/session-manager";
import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import {
  type ClusterFactory,
  type ClusterNodeOptions,
  LossyNetwork,
} from "@crossmcp/session-manager/testing";
import { killOn } from "../../cluster/support/kill.ts";

/** The part of the suite's options that creates nodes. */
export type Nodes = Pick<ClusterFactory, "createNode" | "kill">;

type Notify = (
  notification: ServerNotification,
  to?: NotifyTarget,
) => Promise<void>;

/** Adds a fault to a node. */
type AddFault = (node: ClusterSessions, network: LossyNetwork) => void;

/** Nodes without a fault. */
export const soundNodes: () => Nodes = withFault(() => {});

/** Nodes with one fault each, by the name of the fault. */
export const brokenNodes: Record<string, () => Nodes> = {
  "never find each other": () => {
    const kill = () => {};
    const createNode = (_: string, options: ClusterNodeOptions) =>
      new ClusterSessions(new LossyNetwork().bus(), options);
    return { createNode, kill };
  },
  "send every frame twice": withFault(({ streams }) => {
    const send = streams.send.bind(streams);
    streams.send = (ids, frame) => {
      send(ids, frame);
      send(ids, frame);
    };
  }),
  "notify every client twice": withFault((node) => {
    const notify: Notify = node.notify.bind(node);
    const twice: Notify = async (...call) => {
      await notify(...call);
      await notify(...call);
    };
    node.notify = twice as ClusterSessions["notify"];
  }),
  "notify everyone instead of a principal": withFault((node) => {
    const notify: Notify = node.notify.bind(node);
    const toEveryone: Notify = (notification) => notify(notification);
    node.notify = toEveryone as ClusterSessions["notify"];
  }),
  "report every end on all nodes": () => {
    const network = new LossyNetwork();
    const onEnds = new Set<NonNullable<ClusterNodeOptions["onEnd"]>>();
    return {
      createNode: (cluster, { onEnd, ...options }) => {
        if (onEnd !== undefined) onEnds.add(onEnd);
        return new ClusterSessions(network.bus(cluster), {
          ...options,
          onEnd: (...end) => onEnds.forEach((each) => each(...end)),
        });
      },
      kill: killOn(network),
    };
  },
  "end sessions before other nodes know": withFault((node) => {
    const end = node.end.bind(node);
    node.end = async (target) => {
      const isKnown = "session" in target &&
        await node.info.getClientInfo(target.session).then(
          () => true,
          () => false,
        );
      setTimeout(() => void end(target).catch(() => {}), 20);
      return isKnown ? 1 : 0;
    };
  }),
  "list only their own streams": withFault((node) => {
    const list = node.list.bind(node);
    node.list = async function* (options) {
      for await (const summary of list(options)) {
        const isOwn = node.nodes().some(({ name, isSelf }) =>
          isSelf && name === summary.node
        );
        yield isOwn ? summary : { ...summary, node: undefined };
      }
    };
  }),
  "deliver frames out of order": withFault(({ streams }) => {
    const send = streams.send.bind(streams);
    streams.send = (ids, frame) => {
      if (ids !== undefined) return send(ids, frame);
      setTimeout(() => send(ids, frame), 5);
    };
  }),
  "drop every 50th frame": withFault(({ streams }) => {
    const send = streams.send.bind(streams);
    let count = 0;
    streams.send = (ids, frame) => {
      if (++count % 50 > 0) send(ids, frame);
    };
  }),
  "truncate long frames": withFault(({ streams }) => {
    const send = streams.send.bind(streams);
    streams.send = (ids, frame) =>
      send(ids, frame.replace(/^(.{100000}).*$/m, "$1"));
  }),
  "ignore all session IDs after the first 1,000": withFault(({ streams }) => {
    const send = streams.send.bind(streams);
    streams.send = (ids, frame) => send(ids?.slice(0, 1_000), frame);
  }),
  "resolve create before other nodes know the stream": withFault(
    ({ streams }) => {
      const create = streams.create.bind(streams);
      streams.create = (id, controller) => {
        void create(id, controller);
        return Promise.resolve();
      };
    },
  ),
  "resolve setLogLevel before other nodes know the level": withFault(
    ({ info }) => {
      const set = info.setLogLevel.bind(info);
      info.setLogLevel = (id, level) => {
        setTimeout(
          () => void Promise.resolve(set(id, level)).catch(() => {}),
          5,
        );
        return Promise.resolve();
      };
    },
  ),
  "never delete a session on another node": withFault((node) => {
    const { streams } = node;
    const remove = streams.delete.bind(streams);
    streams.delete = async (id) => {
      if (node.stats().attached > 0) await remove(id);
    };
  }),
  "know only their own streams": withFault(({ streams }) => {
    const create = streams.create.bind(streams);
    const own = new Set<string>();
    streams.create = async (id, controller) => {
      await create(id, controller);
      own.add(id);
    };
    streams.has = (id) => Promise.resolve(own.has(id));
  }),
  "leave a replaced stream open": withFault(({ streams }) => {
    const create = streams.create.bind(streams);
    streams.create = (id, controller) => {
      // The stream stays open, because closing it does nothing.
      const unclosable = new Proxy(controller, {
        get: (target, name) => {
          if (name === "close" || name === "error") return () => {};
          const value = Reflect.get(target, name, target);
          return typeof value === "function" ? value.bind(target) : value;
        },
      });
      return create(id, unclosable);
    };
  }),
  "close without announcing it": withFault((node, network) => {
    const close = node.close.bind(node);
    node.close = (options) => {
      killOn(network)(node);
      return close(options);
    };
  }),
  "never detect a dead node": withOptions((options) => ({
    ...options,
    cluster: { ...options.cluster, heartbeatMs: 60_000 },
  })),
  "ignore the given node name": withOptions(({ cluster, ...options }) => ({
    ...options,
    cluster: { ...cluster, node: undefined },
  })),
  "do not share log levels": withFault(({ info }) => {
    const levels = new Map<string, unknown>();
    info.setLogLevel = (id, level) => {
      levels.set(id, level);
      return Promise.resolve();
    };
    info.getLogLevel = (id) => Promise.resolve(levels.get(id) as "info");
  }),
  "delete the other metadata of a session on a write": withFault(({ info }) => {
    const set = info.setClientCapabilities.bind(info);
    info.setClientCapabilities = async (id, capabilities) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await info.delete(id);
      await set(id, capabilities);
    };
  }),
  "send every notification twice": withFault(({ subscriptions }) => {
    const send = subscriptions.send.bind(subscriptions);
    subscriptions.send = async (notification) => {
      await send(notification);
      await send(notification);
    };
  }),
  "never close a subscription": withFault(({ subscriptions }) => {
    subscriptions.close = () => Promise.resolve(false);
  }),
  "close the subscriptions of every origin": withFault(({ subscriptions }) => {
    const closeAll = subscriptions.closeAll.bind(subscriptions);
    subscriptions.closeAll = (_, reason) => closeAll(undefined, reason);
  }),
  "list nodes that are gone": withFault((node) => {
    const nodes = node.nodes.bind(node);
    const seen = new Map<string, boolean>();
    node.nodes = () => {
      for (const { name, isSelf } of nodes()) seen.set(name, isSelf);
      return [...seen].map(([name, isSelf]) => ({ name, isSelf }));
    };
  }),
  "ignore the cluster name": withOptions((options) => options, () => ""),
  "send broadcasts of a view to everyone": withFault((node) => {
    const { streams, info, subscriptions } = node;
    node.forTransport = () => ({ streams, info, subscriptions });
  }),
  "never tell clients to reconnect later": withGuard(
    async (next, request, respond) => {
      const response = await next(request, respond);
      if (request.method !== "GET") return response;
      const remove = new TransformStream<string, string>({
        transform: (text, controller) =>
          controller.enqueue(text.replace(/^retry: .*\n/gm, "")),
      });
      const body = response.body
        ?.pipeThrough(new TextDecoderStream())
        .pipeThrough(remove)
        .pipeThrough(new TextEncoderStream());
      return new Response(body ?? null, response);
    },
  ),
  "never resume a request": withGuard((next, request, respond) => {
    const isOfRequest = request.headers.get("last-event-id")?.includes("~");
    return isOfRequest
      ? Promise.resolve(new Response(null, { status: 400 }))
      : next(request, respond);
  }),
  "keep the messages of clients to themselves": withGuard(
    async (next, request, respond) => {
      const isMessage = request.method === "POST" &&
        request.headers.has("mcp-session-id");
      const text = isMessage ? await request.clone().text() : "{}";
      const { id, method } = JSON.parse(text);
      const isRequest = !isMessage || (id !== undefined && method);
      return isRequest ? next(request, respond) : (await respond(request))!;
    },
  ),
};

type Guard = ClusterSessions["guard"];

/** Wraps the guard of each node. */
function withGuard(
  guard: (next: Guard, ...args: Parameters<Guard>) => ReturnType<Guard>,
): () => Nodes {
  return withFault((node) => {
    const next: Guard = node.guard.bind(node);
    node.guard = (request, respond, options) =>
      guard(
        (request, respond) => next(request, respond, options),
        request,
        respond,
      );
  });
}

/** Creates nodes, and adds a fault to each. */
function withFault(addFault: AddFault): () => Nodes {
  return () => {
    const network = new LossyNetwork();
    return {
      createNode: (cluster, options) => {
        const node = new ClusterSessions(network.bus(cluster), options);
        addFault(node, network);
        return node;
      },
      kill: killOn(network),
    };
  };
}

/** Creates nodes with changed options, or in another cluster. */
function withOptions(
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
