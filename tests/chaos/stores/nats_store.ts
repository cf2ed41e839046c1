import { NatsServer } from "../../nats/support/nats_server.ts";
import type { FaultName } from "../faults.ts";
import { failServer } from "./fail_server.ts";
import { openProxy } from "./open_proxy.ts";
import type { Access, Store } from "./store.ts";

/** A NATS server, with a proxy in front of it for each node. */
export class NatsStore implements Store {
  readonly name = "nats";
  readonly faults: readonly FaultName[] = [
    "kill",
    "pause",
    "cut",
    "silence",
    "delay",
    "block",
  ];
  readonly keepsEvents = false;
  readonly #server: NatsServer;

  private constructor(server: NatsServer) {
    this.#server = server;
  }

  /** Starts a server. */
  static async start(): Promise<NatsStore> {
    return new NatsStore(await NatsServer.start());
  }

  access(): Promise<Access> {
    return openProxy(this.#server.port);
  }

  fail(fault: FaultName): Promise<() => Promise<void>> {
    return failServer(this.#server, fault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.kill();
  }
}
