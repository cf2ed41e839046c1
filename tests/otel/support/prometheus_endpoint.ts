import type { Meter } from "@opentelemetry/api";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A line of a Prometheus endpoint. */
export interface Sample {
  readonly name: string;
  /** The labels, without those of the exporter. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Metrics of the real OpenTelemetry SDK, on a real Prometheus endpoint. */
export class PrometheusEndpoint implements AsyncDisposable {
  readonly #provider: MeterProvider;
  readonly #server: Server;

  private constructor(provider: MeterProvider, server: Server) {
    this.#provider = provider;
    this.#server = server;
  }

  /** Starts an endpoint on a free port. */
  static async start(): Promise<PrometheusEndpoint> {
    const exporter = new PrometheusExporter({ preventServerStart: true });
    const provider = new MeterProvider({ readers: [exporter] });
    const server = createServer((request, response) =>
      exporter.getMetricsRequestHandler(request, response)
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new PrometheusEndpoint(provider, server);
  }

  /** The port of `/metrics`. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Returns a meter. */
  meter(name = "test"): Meter {
    return this.#provider.getMeter(name);
  }

  /** Reads the endpoint. */
  async text(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}/metrics`);
    return await response.text();
  }

  /** Reads the endpoint, without the metrics of the exporter. */
  async scrape(): Promise<Sample[]> {
    return samplesOf(await this.text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Returns the samples of a text in the format of Prometheus. */
export function samplesOf(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", value] =
      /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || name === "target_info") return [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)]
      .map(([, label, text]) => [label!, text!] as const)
      .filter(([label]) => !label.startsWith("otel_scope_"));
    const sample = { name, labels: Object.fromEntries(pairs) };
    return [{ ...sample, value: Number(value) }];
  });
}
