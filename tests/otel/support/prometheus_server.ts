import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { freePort, ServerProcess } from "../../support/server_process.ts";

/** One result of a query. */
export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

const hasPrometheus = spawnSync("prometheus", ["--version"]).status === 0;

/** Defines a test that needs Prometheus; skipped if it is not installed. */
export function itWithPrometheus(
  name: string,
  run: () => Promise<void>,
): void {
  if (hasPrometheus) it(name, run);
  else it.skip(`${name} (needs prometheus on the PATH)`, () => {});
}

/** A Prometheus server on a free port. */
export class PrometheusServer implements AsyncDisposable {
  readonly #url: string;
  readonly #folder: string;
  readonly #process: ServerProcess;

  private constructor(url: string, folder: string, process: ServerProcess) {
    this.#url = url;
    this.#folder = folder;
    this.#process = process;
  }

  /**
   * Starts a server that reads endpoints five times a second, as the job "mcp".
   *
   * @param ports The ports of the endpoints.
   */
  static async start(ports: readonly number[]): Promise<PrometheusServer> {
    const folder = await mkdtemp(join(tmpdir(), "prometheus-"));
    const config = join(folder, "prometheus.yml");
    const targets = ports.map((port) => `127.0.0.1:${port}`);
    // JSON is valid YAML.
    const content = JSON.stringify({
      global: { scrape_interval: "200ms", scrape_timeout: "200ms" },
      scrape_configs: [{ job_name: "mcp", static_configs: [{ targets }] }],
    });
    await writeFile(config, content);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const server = new ServerProcess({
      command: [
        "prometheus",
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      answers: () =>
        fetch(`${url}/-/ready`).then(async (response) => {
          await response.body?.cancel();
          return response.ok;
        }, () => false),
    });
    const started = new PrometheusServer(url, folder, server);
    await server.start();
    return started;
  }

  /**
   * Runs a query.
   *
   * @throws {Error} If the query is invalid.
   */
  async query(query: string): Promise<QueryResult[]> {
    const body = new URLSearchParams({ query });
    const path = `${this.#url}/api/v1/query`;
    const response = await fetch(path, { method: "POST", body });
    const { status, error, data } = await response.json();
    if (status !== "success") throw new Error(`${query}: ${error}`);
    return data.result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
