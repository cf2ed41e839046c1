import type { Buffer } from "node:buffer";
import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server,
  type Socket,
} from "node:net";

/**
 * A proxy between clients and a server that can become silent or slow, can be
 * cut, and can be pointed at another server.
 */
export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  #isSilent = false;
  #silencesNew = false;
  #isCut = false;
  #delayMs = 0;
  /** What is forwarded later, the last piece to each socket. */
  readonly #late: Map<Socket, Promise<void>> = new Map();
  #target: number;
  readonly #clients: Set<Socket> = new Set();
  /** Connections that have subscribed, and those that are silent. */
  readonly #subscribers: Set<Socket> = new Set();
  readonly #silent: Set<Socket> = new Set();

  private constructor(
    target: number,
    rewrite: (answer: Buffer) => Buffer | string,
  ) {
    this.#target = target;
    this.#server = createServer((client) => {
      if (this.#isCut) return void client.destroy();
      const upstream = connect(this.#target, "127.0.0.1");
      this.#clients.add(client);
      if (this.#silencesNew) this.#silent.add(client);
      client.on("close", () => {
        for (
          const sockets of [this.#clients, this.#subscribers, this.#silent]
        ) sockets.delete(client);
      });
      for (const [socket, other] of [[client, upstream], [upstream, client]]) {
        this.#sockets.add(socket!);
        socket!.setNoDelay();
        socket!.on("error", () => {});
        socket!.on("close", () => {
          this.#sockets.delete(socket!);
          other!.destroy();
        });
      }
      const isSilent = () => this.#isSilent || this.#silent.has(client);
      client.on("data", (data: Buffer) => {
        if (/\r\nsubscribe\r\n/i.test(data.toString("latin1"))) {
          this.#subscribers.add(client);
        }
        if (!isSilent()) this.#pass(upstream, data);
      });
      upstream.on("data", (data: Buffer) => {
        if (!isSilent()) this.#pass(client, rewrite(data));
      });
    });
  }

  /**
   * Starts a proxy on a free port.
   *
   * @param target The port of the server.
   * @param rewrite Replaces a piece of its responses by one of the same length.
   */
  static async start(
    target: number,
    rewrite: (answer: Buffer) => Buffer | string = (answer) => answer,
  ): Promise<TcpProxy> {
    const proxy = new TcpProxy(target, rewrite);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * Forwards nothing any more; connections stay open, as if a cable were cut.
   */
  silence(): void {
    this.#isSilent = true;
  }

  /** The same for the connections that have subscribed to something. */
  silenceSubscribers(): void {
    for (const socket of this.#subscribers) this.#silent.add(socket);
  }

  /** Whether to forward nothing over connections from now on. */
  silenceNew(isSilent: boolean): void {
    this.#silencesNew = isSilent;
  }

  /** Closes all connections, and refuses new ones. */
  cut(): void {
    this.#isCut = true;
    this.reset();
  }

  /**
   * Accepts connections again.
   *
   * @param target The port of the server, if it is another one.
   */
  heal(target: number = this.#target): void {
    this.#target = target;
    this.#isCut = false;
  }

  /** Forwards again, over new connections: the old ones are closed. */
  restore(): void {
    this.#isSilent = false;
    this.reset();
  }

  /** Forwards everything later from now on; 0 for at once. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /**
   * Closes connections: all, those that have subscribed to something, or the
   * others.
   */
  reset(which: "all" | "subscribers" | "others" = "all"): void {
    for (const socket of this.#sockets) {
      const isSubscriber = this.#subscribers.has(socket);
      const isOther = this.#clients.has(socket) && !isSubscriber;
      if (
        which === "all" || (which === "subscribers" ? isSubscriber : isOther)
      ) socket.resetAndDestroy();
    }
  }

  /** Forwards a piece, in order, also when the delay has changed. */
  #pass(to: Socket, data: Buffer | string): void {
    const before = this.#late.get(to);
    if (this.#delayMs === 0 && before === undefined) {
      return void to.write(data);
    }
    const due = performance.now() + this.#delayMs;
    const forward = async () => {
      await before;
      await new Promise((resolve) =>
        setTimeout(resolve, Math.max(0, due - performance.now()))
      );
      if (!to.destroyed) to.write(data);
      if (this.#late.get(to) === forwarded) this.#late.delete(to);
    };
    const forwarded: Promise<void> = forward();
    this.#late.set(to, forwarded);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
