/**
 * The news server, with its metrics for Prometheus on port 9464:
 *
 *     deno run -A --unstable-no-legacy-abort examples/metrics/server.ts
 *     prometheus --config.file=examples/metrics/prometheus.yml
 *
 * Import `grafana-dashboard.json` into Grafana to see them.
 */
import { instrumentSessions } from "@crossmcp/session-manager/otel";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { respond, sessions } from "../news_server.ts";

const exporter = new PrometheusExporter({ host: "127.0.0.1", port: 9464 });
const provider = new MeterProvider({ readers: [exporter] });
instrumentSessions(sessions, provider.getMeter("news"));

Deno.serve({ hostname: "127.0.0.1", port: 8000 }, respond);
