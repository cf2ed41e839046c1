import type { RedisProcess } from "./redis_process.ts";
import { ServerProcess } from "./server_process.ts";

/** Servers behind a load balancer. */
export interface ServerGroup {
  /** The servers that were started last, by name. */
  readonly servers: ReadonlyMap<string, ServerProcess>;
  /** Starts a server, also again; without a port, on a free one. */
  readonly start: (name: string, port?: string) => Promise<void>;
  /** The address of the load balancer. */
  readonly url: URL;
}

/**
 * Starts servers that share their sessions through Redis, and a load balancer
 * in front of them.
 *
 * @param stack Ends all of them when it is disposed of.
 * @param names The names of the servers.
 * @param command The command that starts a server.
 * @param loadBalancer The command that starts the load balancer; the ports are added.
 * @param redis The Redis server, which runs already.
 */
export async function startServers(
  stack: AsyncDisposableStack,
  names: readonly string[],
  command: readonly string[],
  loadBalancer: readonly string[],
  redis: RedisProcess,
): Promise<ServerGroup> {
  const servers = new Map<string, ServerProcess>();
  stack.defer(async () => {
    for (const server of servers.values()) await server.kill();
  });
  const start = async (name: string, PORT = "0") => {
    const env = { NAME: name, PORT, REDIS_URL: redis.url };
    servers.set(name, await ServerProcess.start(command, env));
  };
  await Promise.all(names.map((name) => start(name)));
  const ports = [...servers.values()].map(({ url }) => url.port);
  const { url } = stack.use(
    await ServerProcess.start([...loadBalancer, ...ports]),
  );
  return { servers, start, url };
}
