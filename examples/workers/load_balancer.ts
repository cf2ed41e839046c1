import { connect, createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream";

/**
 * Passes each connection to the next worker. Stands in for the load balancer of
 * a real deployment.
 *
 * @param ports Returns the ports of the workers that are alive.
 */
export function createLoadBalancer(ports: () => readonly number[]): Server {
  let turn = 0;
  return createServer({ noDelay: true }, (client) => {
    client.on("error", () => {}); // it has just died: `pipeline` cleans up
    tryNext(client, ports().length);
  });

  function tryNext(client: Socket, attempts: number): void {
    const live = ports();
    if (live.length === 0 || attempts === 0) return void client.destroy();
    const port = live[turn++ % live.length]!;
    const worker = connect({ port, host: "127.0.0.1", noDelay: true });
    const onDead = () => tryNext(client, attempts - 1);
    worker.once("error", onDead);
    worker.once("connect", () => {
      worker.off("error", onDead);
      // If one end breaks, the other is closed, too.
      pipeline(client, worker, () => {});
      pipeline(worker, client, () => {});
    });
  }
}
