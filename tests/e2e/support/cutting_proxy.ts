import type { Buffer } from "node:buffer";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server,
  type Socket,
} from "node:net";

/** When and how to cut a connection. */
export interface Cut {
  readonly afterBytes: number;
  /**
   * Resolves when the client has read the first event of this response. Only
   * what follows it is counted then. Bun's client discards what it has not read
   * when a connection breaks.
   *
   * @default undefined everything is counted
   */
  readonly firstEventRead?: Promise<void>;
  /** Whether to reset the connection or close it normally. */
  readonly how: "RST" | "FIN";
}

/** A proxy that cuts connections between clients and a server. */
export interface CuttingProxy extends AsyncDisposable {
  /** URL of the server behind the proxy. */
  readonly url: URL;
  /** Number of connections that were cut. */
  readonly cuts: number;
}

/**
 * Starts a proxy on a free port.
 *
 * @param target URL of the server.
 * @param nextCut Called with the head of every GET request, and of POST requests
 * if `methods` includes them. `undefined` leaves the connection open.
 * @param methods The methods of the requests to cut.
 */
export async function startCuttingProxy(
  target: URL,
  nextCut: (head: string) => Cut | undefined,
  methods: readonly string[] = ["GET"],
): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let cut: Cut | undefined;
    let left = Infinity;
    let isCounting = true;
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
      // A connection carries several requests. The head of a request arrives in
      // one piece.
      const head = data.toString("latin1");
      const [method = ""] = head.split(" ", 1);
      if (["GET", "POST"].includes(method)) {
        cut = methods.includes(method) ? nextCut(head) : undefined;
        left = cut?.afterBytes ?? Infinity;
        isCounting = cut?.firstEventRead === undefined;
      }
      upstream.write(data);
    });
    upstream.on("data", (data: Buffer) => {
      if (!isCounting) {
        const end = data.indexOf("\n\n") + 2;
        if (end < 2) return void client.write(data);
        isCounting = true;
        client.write(data.subarray(0, end));
        upstream.pause();
        upstream.unshift(data.subarray(end));
        void cut?.firstEventRead?.then(() => upstream.resume());
        return;
      }
      if (cut === undefined || data.length < left) {
        left -= data.length;
        client.write(data);
        return;
      }
      cuts++;
      const { how } = cut;
      upstream.removeAllListeners("data");
      // Waits until the data before the cut was written, because a reset would
      // discard it.
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
