import { readFile } from "node:fs/promises";
import type { Sample } from "./prometheus_endpoint.ts";

const FILE = new URL(
  "../../../examples/metrics/grafana-dashboard.json",
  import.meta.url,
);
const NAME = /(?<![\w"])([a-z_]+)\{|__name__=~"([^"]+)"/g;

/** A query of a panel, and the title of the panel. */
export interface Query {
  readonly title: string;
  readonly expr: string;
}

/** A Grafana dashboard, as far as the tests read it. */
interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

/** Returns the queries of the dashboard. */
export async function dashboardQueries(): Promise<Query[]> {
  const { panels }: Dashboard = JSON.parse(await readFile(FILE, "utf8"));
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expr }))
  );
}

/** Returns the metrics that a query names, as patterns. */
export function metricsOf({ expr }: Query): RegExp[] {
  return [...expr.matchAll(NAME)].map(([, name, pattern]) =>
    new RegExp(`^(?:${name ?? pattern})$`)
  );
}

/** Returns the labels by which a query groups, but those of Prometheus. */
export function labelsOf({ expr }: Query): string[] {
  return [...expr.matchAll(/\bby \(([^)]*)\)/g)]
    .flatMap(([, labels]) => labels!.split(/,\s*/))
    .filter((label) => label !== "instance");
}

/** Returns what a query lacks: metrics, or labels of them. */
export function missing(query: Query, samples: readonly Sample[]): string[] {
  const found = metricsOf(query).map((pattern) =>
    [pattern, samples.filter(({ name }) => pattern.test(name))] as const
  );
  return [
    ...found.filter(([, { length }]) => length === 0)
      .map(([pattern]) => pattern.source),
    ...labelsOf(query).filter((label) =>
      !found.some(([, metrics]) => metrics.some(({ labels }) => labels[label]))
    ),
  ];
}
