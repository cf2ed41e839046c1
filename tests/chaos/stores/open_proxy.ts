import { TcpProxy } from "../../redis/support/tcp_proxy.ts";
import { Link } from "../links.ts";
import type { Access } from "./store.ts";

/** Opens a proxy in front of a server, for one node. */
export async function openProxy(port: number): Promise<Access> {
  const proxy = await TcpProxy.start(port);
  return {
    ports: [proxy.port],
    link: new Link(proxy),
    close: () => proxy[Symbol.asyncDispose](),
  };
}
