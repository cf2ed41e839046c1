import type { SessionsStats } from "@crossmcp/session-manager";
import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp } from "../e2e/support/clients.ts";
import { beginSession } from "../e2e/support/guarded.ts";
import { until } from "../e2e/support/until.ts";
import { dashboardQueries, metricsOf, missing } from "./support/dashboard.ts";
import { assertAgrees } from "./support/expected_samples.ts";
import { InstrumentedNode } from "./support/instrumented_node.ts";
import {
  itWithPrometheus,
  PrometheusServer,
} from "./support/prometheus_server.ts";

const CHANGED = { method: "notifications/tools/list_changed" } as const;

describe("The Grafana dashboard", () => {
  it("O5 an endpoint has every metric and label that it names, and nothing else", () =>
    withTraffic(async ([node]) => {
      const samples = await node.endpoint.scrape();
      const queries = await dashboardQueries();
      assert(queries.length > 20, `${queries.length} queries`);
      const lacking = queries.map((query) => ({
        title: query.title,
        missing: missing(query, samples),
      })).filter(({ missing }) => missing.length > 0);
      assertEquals(lacking, []);
      const named = queries.flatMap(metricsOf);
      const unused = samples.map(({ name }) => name)
        .filter((name) => !named.some((pattern) => pattern.test(name)));
      assertEquals(unused, []);
      await assertAgrees(node.endpoint, node.sessions);
    }));

  itWithPrometheus(
    "O5 every query has a result in Prometheus, which agrees with stats()",
    () =>
      withTraffic(async (nodes) => {
        const ports = nodes.map(({ endpoint }) => endpoint.port);
        await using prometheus = await PrometheusServer.start(ports);
        const all = nodes.map(({ sessions }) => sessions);
        const sum = async (query: string) => {
          const [first] = await prometheus.query(`sum(${query})`);
          return Number(first?.value[1]);
        };
        await until(
          async () => await sum("up") === nodes.length,
          "Prometheus to read the endpoints",
          30_000,
        );
        // Rates need some traffic while it reads.
        for (const { url, sessions } of nodes) {
          const session = await beginSession(url);
          await sessions.end({ session });
          await sessions.notify(CHANGED);
        }
        const counted: Record<string, (stats: SessionsStats) => number> = {
          crossmcp_session_begun_total: ({ begun }) => begun,
          'crossmcp_session_ended_total{crossmcp_session_end_reason="ended"}': (
            { ended },
          ) => ended.ended,
          crossmcp_active_streams: ({ attached }) => attached,
          crossmcp_stream_frames_total: ({ delivered }) => delivered,
        };
        for (const [query, countOf] of Object.entries(counted)) {
          // The network delays what is sent.
          const expected = () =>
            all.reduce((total, node) => total + countOf(node.stats()), 0);
          await until(
            async () => await sum(query) === expected(),
            () => `${query} to be ${expected()}`,
            30_000,
          );
        }
        for (const { title, expr } of await dashboardQueries()) {
          const query = expr.replaceAll("$__rate_interval", "1m")
            .replaceAll("$job", "mcp").replaceAll("$instance", ".*");
          assert(!query.includes("$"), query);
          const results = await prometheus.query(query);
          assert(results.length > 0, `"${title}" has no data: ${query}`);
        }
      }),
  );
});

/** Runs a test with two nodes that serve clients. */
async function withTraffic(
  run: (nodes: readonly [InstrumentedNode, InstrumentedNode]) => Promise<void>,
): Promise<void> {
  const network = new LossyNetwork({ dropRate: 0.1 });
  const cluster = { heartbeatMs: 200, requestTimeoutMs: 2_000 };
  await using first = new ClusterSessions(network.bus(), { cluster });
  await using second = new ClusterSessions(network.bus(), { cluster });
  await Promise.all([first.ready, second.ready]);
  await using a = await InstrumentedNode.start(first);
  await using b = await InstrumentedNode.start(second);
  await using alice = await connectHttp(a.url, first.streams);
  await using bob = await connectHttp(b.url, second.streams, { name: "bob" });
  const session = await beginSession(a.url);
  assertEquals(await b.end(session), 200);
  await first.end({ session: await beginSession(a.url) });
  for (let count = 0; count < 5; count++) await first.notify(CHANGED);
  await until(
    () => [alice, bob].every(({ notifications }) => notifications.length === 5),
    "the notifications",
  );
  await run([a, b]);
}
