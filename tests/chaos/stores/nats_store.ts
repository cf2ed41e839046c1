import { NatsSessions } from "@crossmcp/session-manager/nats";
import type { ClusterNodeOptions } from "@crossmcp/session-manager/testing";
import { connectTo, NatsServer } from "../../nats/support/nats_server.ts";
import { TcpProxy } from "../../redis/support/tcp_proxy.ts";
import type { FaultName } from "../faults.ts";
import { Link } from "../links.ts";
import { failServer } from "./fail_server.ts";
import type { MadeNode, Store } from "./store.ts";

/** A NATS server, with a proxy in front of it for each node. */
export class NatsStore implements Store {
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

  async join(options: ClusterNodeOptions): Promise<MadeNode> {
    const proxy = await TcpProxy.start(this.#server.port);
    const connection = await connectTo(proxy.port, true);
    return {
      sessions: new NatsSessions("chaos", connection, options),
      link: new Link(proxy),
      disconnect: async () => {
        await connection.close();
        await proxy[Symbol.asyncDispose]();
      },
    };
  }

  fail(fault: FaultName): Promise<() => Promise<void>> {
    return failServer(this.#server, fault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.kill();
  }
}
