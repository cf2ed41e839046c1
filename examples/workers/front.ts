import { connect, createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream";

/**
 * Gives each connection to the next worker, whoever it is from. It stands for the
 * load balancer that a real server has in front of its workers.
 *
 * @param ports Where the workers listen that are alive.
 */
export function createFront(ports: () => readonly number[]): Server {
  let turn = 0;
  return createServer({ noDelay: true }, (client) => {
    client.on("error", () => {}); // it has gone: `pipeline` cleans up
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
      // When one end breaks, so does the other.
      pipeline(client, worker, () => {});
      pipeline(worker, client, () => {});
    });
  }
}
