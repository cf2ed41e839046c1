import type { MessageListener } from "./client_types.ts";

/** Callbacks for changes of a connection, as far as a client reports them. */
export interface ConnectionEvents {
  /** Called when the connection was lost, with the error if there is one. */
  readonly onLost?: (cause?: unknown) => void;
  /** Called when there is a connection again. */
  readonly onReady?: () => void;
}

/** A client that sends commands, whatever its library. */
export interface PublisherAdapter {
  send(args: string[]): Promise<unknown>;
  /** Adds callbacks. Returns a function that removes them. */
  listen(events: ConnectionEvents): () => void;
}

/** A client that subscribes, whatever its library. */
export interface SubscriberAdapter {
  subscribe(channels: string[], listener: MessageListener): Promise<unknown>;
  unsubscribe(channels: string[], listener: MessageListener): Promise<unknown>;
  /** Adds callbacks. Returns a function that removes them. */
  listen(events: ConnectionEvents): () => void;
  /** Opens another connection to the same server, if the client can. */
  readonly open: (() => OwnConnection) | undefined;
  /** Whether it does not report that its connection was lost. */
  readonly isQuiet?: boolean;
}

/** A client of a known library. */
export interface ClientAdapter extends PublisherAdapter, SubscriberAdapter {
  /** Whether it can subscribe and send commands at the same time. */
  readonly canShare?: boolean;
}

/** A connection that this package has opened, and closes. */
export interface OwnConnection {
  /** Resolves when it is connected. */
  readonly connected: Promise<SubscriberAdapter>;
  close(): void;
}

/** An event emitter, if the client is one. */
export interface Emitter {
  on?(event: string, listener: (...args: never[]) => void): unknown;
  off?(event: string, listener: (...args: never[]) => void): unknown;
}

/**
 * Adds listeners to a client, if it is an event emitter.
 *
 * @returns Removes them.
 */
export function listenTo(
  emitter: Emitter,
  listeners: Readonly<Record<string, (...args: never[]) => void>>,
): () => void {
  if (typeof emitter.on !== "function") return () => {};
  const all = Object.entries(listeners);
  for (const [event, listener] of all) emitter.on(event, listener);
  return () => {
    for (const [event, listener] of all) emitter.off?.(event, listener);
  };
}

/** Ignores an error; without a listener, it would end the process. */
export function ignore(): void {}
