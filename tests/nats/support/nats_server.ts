import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { freePort, ServerProcess } from "../../support/server_process.ts";

/** Debian installs it where only root looks. */
const PROGRAM = ["nats-server", "/usr/sbin/nats-server"].find((program) =>
  spawnSync(program, ["--version"]).status === 0
);

/** Whether there is a `nats-server` to start. */
export const hasNats: boolean = PROGRAM !== undefined;

/** Defines a group of tests that need NATS; skipped if there is no server. */
export function describeNats(name: string, define: () => void): void {
  describe(name, () => {
    if (hasNats) define();
    else it.skip("needs nats-server on the PATH", () => {});
  });
}

/** A `nats-server` for the tests, on a free port. */
export class NatsServer extends ServerProcess {
  readonly port: number;

  private constructor(port: number) {
    super({
      command: [PROGRAM!, "-a", "127.0.0.1", "-p", `${port}`],
      answers: () => answers(port),
    });
    this.port = port;
  }

  /** Starts a server, and waits until it responds. */
  static async start(): Promise<NatsServer> {
    const server = new NatsServer(await freePort());
    await server.start();
    return server;
  }
}

/**
 * Connects to a server, and reconnects quickly.
 *
 * @param port The port of the server.
 * @param waitOnFirstConnect Whether to wait for a server that is down.
 */
export function connectTo(
  port: number,
  waitOnFirstConnect: boolean = false,
): Promise<NatsConnection> {
  return connect({
    waitOnFirstConnect,
    servers: `127.0.0.1:${port}`,
    // It must not go around a proxy.
    ignoreClusterUpdates: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    reconnectJitter: 10,
    pingInterval: 500,
  });
}

async function answers(port: number): Promise<boolean> {
  try {
    const connection = await connect({
      servers: `127.0.0.1:${port}`,
      reconnect: false,
    });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}
