import type { Buffer } from "node:buffer";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server,
  type Socket,
} from "node:net";

/** How a connection ends, and after how many bytes of the server's answer. */
export interface Cut {
  readonly afterBytes: number;
  /** With a reset, or as if the server had said all it wanted to. */
  readonly how: "RST" | "FIN";
}

/** A network between clients and a server that breaks streams off. */
export interface CuttingProxy extends AsyncDisposable {
  /** Where the server is reached through it. */
  readonly url: URL;
  /** How many connections it has broken off. */
  readonly cuts: number;
}

/**
 * Starts a proxy on a free port.
 *
 * @param target The server.
 * @param nextCut Asked at every GET; `undefined` lets it live.
 */
export async function startCuttingProxy(
  target: URL,
  nextCut: () => Cut | undefined,
): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let cut: Cut | undefined;
    let left = Infinity;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (data: Buffer) => {
      // A connection carries one request after the other; the head of a GET
      // comes in one piece.
      if (data.toString("latin1", 0, 4) === "GET ") {
        cut = nextCut();
        left = cut?.afterBytes ?? Infinity;
      }
      upstream.write(data);
    });
    upstream.on("data", (data: Buffer) => {
      if (cut === undefined || data.length < left) {
        left -= data.length;
        client.write(data);
        return;
      }
      cuts++;
      const { how } = cut;
      upstream.removeAllListeners("data");
      // What comes before the cut has to arrive: a reset overtakes it.
      client.write(data.subarray(0, left), () => {
        if (how === "RST") client.resetAndDestroy();
        else client.end();
        upstream.destroy();
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(target.pathname, `http://127.0.0.1:${port}`),
    get cuts() {
      return cuts;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
