import type { Sessions } from "@crossmcp/session-manager";
import type { ClusterSessionsStats } from "@crossmcp/session-manager/cluster";
import { instrumentSessions } from "@crossmcp/session-manager/otel";
import { startServer } from "../../e2e/support/server.ts";
import { PrometheusEndpoint } from "./prometheus_endpoint.ts";

/** A node of any backend. */
export interface ClusterNode extends Sessions {
  stats(): ClusterSessionsStats;
}

/** A node behind a server, with its own Prometheus endpoint. */
export class InstrumentedNode implements AsyncDisposable {
  readonly sessions: ClusterNode;
  readonly url: URL;
  readonly endpoint: PrometheusEndpoint;
  readonly #server: AsyncDisposable;

  private constructor(
    sessions: ClusterNode,
    url: URL,
    endpoint: PrometheusEndpoint,
    server: AsyncDisposable,
  ) {
    this.sessions = sessions;
    this.url = url;
    this.endpoint = endpoint;
    this.#server = server;
  }

  /** Starts a server and an endpoint for a node. */
  static async start(sessions: ClusterNode): Promise<InstrumentedNode> {
    const endpoint = await PrometheusEndpoint.start();
    const server = await startServer({
      managers: sessions,
      guard: (request, respond) => sessions.guard(request, respond),
    });
    instrumentSessions(sessions, endpoint.meter());
    return new InstrumentedNode(sessions, server.httpUrl, endpoint, server);
  }

  /** Ends a session, as its client does. */
  async end(session: string): Promise<number> {
    const headers = { "mcp-session-id": session };
    const response = await fetch(this.url, { method: "DELETE", headers });
    await response.body?.cancel();
    return response.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endpoint[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}
