import { compareOverHttp } from "../http/compare.ts";
import type { HttpResult } from "../http/results.ts";
import { CONNECTIONS_OF_GOALS, SCENARIOS } from "../http/scenarios.ts";
import { bundle } from "../runtimes.ts";
import type { Program } from "../../scripts/lib/command.ts";
import { type Figure, rounded } from "./figures.ts";

/** The number of rounds in a result. */
const ROUNDS = 8;

/** Measures over real connections, with the servers on one runtime. */
export async function measureHttp(
  runtimes: ReadonlyMap<string, Program>,
  name: string,
  folder: string,
): Promise<HttpResult[]> {
  const json = `${folder}/http.json`;
  const programs = {
    main: await bundle("bench/http/main.ts", folder),
    server: await bundle("bench/http/server.ts", folder),
  };
  const flags = [`--rounds=${ROUNDS}`, `--json=${json}`];
  if (!await compareOverHttp(runtimes, name, programs, flags)) {
    throw new Error(`Measuring over HTTP on ${name} failed.`);
  }
  const results: HttpResult[] = JSON.parse(await Deno.readTextFile(json));
  return results.map(withoutNoise);
}

/**
 * Returns the tracked figures: ratios, at the number of connections of the
 * goals.
 */
export function httpFigures(
  results: readonly HttpResult[],
  runtime: string,
): Figure[] {
  const figures: Figure[] = [];
  for (const { connections, burst, contender, timesOurs } of results) {
    if (connections !== CONNECTIONS_OF_GOALS || timesOurs === undefined) {
      continue;
    }
    const scenario = SCENARIOS.find((scenario) => scenario.burst === burst)!;
    figures.push({
      id: `over HTTP, 1,000 connections, ${scenario.name}: ` +
        `messages a second, ours / ${NAMES[contender] ?? contender}`,
      unit: "times",
      better: "higher",
      goal: scenario.goals[contender]?.[runtime],
      ...rounded(timesOurs),
      rounds: ROUNDS,
    });
  }
  return figures;
}

const NAMES: { readonly [contender: string]: string } = {
  peer: "@tmcp/session-manager",
  "web-streams": "ours with Web Streams",
  bare: "bare loop of response.write",
};

/** Rounds every number to four digits. */
function withoutNoise(result: HttpResult): HttpResult {
  return JSON.parse(
    JSON.stringify(
      result,
      (_, value) =>
        typeof value === "number" ? Number(value.toPrecision(4)) : value,
    ),
  );
}
