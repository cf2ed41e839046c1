import type { TcpProxy } from "../redis/support/tcp_proxy.ts";
import type { FaultName } from "./faults.ts";

/** How late everything is with the fault `delay`, in milliseconds. */
const DELAY_MS = 150;

/** The connections of one node, which can fail. */
export class Link {
  readonly #proxy: TcpProxy;

  /** @param proxy What the node connects through. */
  constructor(proxy: TcpProxy) {
    this.#proxy = proxy;
  }

  /** Begins a fault. Returns a function that ends it. */
  fail(fault: FaultName): () => void {
    const proxy = this.#proxy;
    switch (fault) {
      case "cut":
        proxy.cut();
        return () => proxy.heal();
      case "silence":
        proxy.silence();
        return () => proxy.restore();
      case "silent subscriber":
        proxy.silenceSubscribers();
        // The node opens another one.
        return () => {};
      case "reset subscriber":
        proxy.reset("subscribers");
        return () => {};
      case "reset commands":
        proxy.reset("others");
        return () => {};
      case "delay":
        proxy.delay(DELAY_MS);
        return () => proxy.delay(0);
      default:
        throw new Error(`A link has no fault "${fault}".`);
    }
  }

  /** Cuts it for good. */
  end(): void {
    this.#proxy.cut();
  }
}
