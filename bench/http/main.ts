/**
 * The rate of delivery over real connections, compared with the peer and, on
 * Node, with better-sse. `run.ts` bundles it, and starts it on each runtime
 * that it finds. The command that starts a server on the runtime under test
 * follows `--`; this process has all the clients.
 *
 * `--connections`, `--rounds` and `--ms` (of a contender's share of a round)
 * set how much is measured; `--json` names a file for the results. With
 * `--assert`, it exits with 1 if a goal is missed.
 */
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Contender, Load } from "./control.ts";
import { EVENT_BYTES } from "./events.ts";
import { printTable } from "./report.ts";
import { type HttpResult, summarize } from "./results.ts";
import { CONNECTIONS_OF_GOALS, type Scenario, SCENARIOS } from "./scenarios.ts";
import { type Run, ServerUnderTest } from "./server_under_test.ts";

/** Rounds in which the runtimes compile the hot functions; they do not count. */
const WARM_UP_ROUNDS = 2;
/** The number of rounds that measure latency. */
const PACED_ROUNDS = 3;
/** This process has all the clients, and many systems allow 20,000 files. */
const MAX_CLIENTS = 18_000;
/** A pace that all servers keep easily. */
const MS_PER_MESSAGE = 0.04;

const { values, positionals: command } = parseArgs({
  allowPositionals: true,
  options: {
    connections: { type: "string", default: "100,1000,5000" },
    rounds: { type: "string", default: "8" },
    ms: { type: "string", default: "500" },
    json: { type: "string" },
    assert: { type: "boolean", default: false },
  },
});
const [rounds, ms] = [values.rounds, values.ms].map(Number) as [number, number];

/**
 * Measures in rounds: every contender in every round, in alternating order, so
 * that other work on the machine affects all of them.
 */
async function measure(
  servers: readonly ServerUnderTest[],
  load: Load,
  rounds: number,
  warmUp: number,
): Promise<Map<Contender, Run[]>> {
  const runs = new Map(
    servers.map(({ contender }): [Contender, Run[]] => [contender, []]),
  );
  for (let round = -warmUp; round < rounds; round++) {
    const order = round % 2 === 0 ? servers : servers.toReversed();
    for (const server of order) {
      const run = await server.run(load);
      if (round >= 0) runs.get(server.contender)!.push(run);
    }
  }
  return runs;
}

/** Compares the messages per second with the goals; returns whether all are met. */
function judge(
  { goals, name }: Scenario,
  runtime: string,
  results: readonly HttpResult[],
): boolean {
  let met = true;
  for (const [other, { [runtime]: goal }] of Object.entries(goals)) {
    const its = results.find(({ contender }) => contender === other);
    if (goal === undefined || its?.timesOurs === undefined) continue;
    const holds = its.timesOurs.median >= goal;
    met &&= holds;
    console.log(
      `${holds ? "met   " : "MISSED"}  ${name}: at least ${goal} times the ` +
        `messages per second of ${other}`,
    );
  }
  return met;
}

/** Returns whom ours is compared with, the most important ones first. */
function othersOn(runtime: string, connections: number): Contender[] {
  const others: Contender[] = runtime.startsWith("Node")
    ? ["better-sse", "bare", "peer", "web-streams"]
    : ["peer"];
  return others.slice(0, Math.floor(MAX_CLIENTS / connections) - 1);
}

/** Starts the servers of all contenders, and compares them. */
async function compare(
  connections: number,
): Promise<{ met: boolean; results: HttpResult[] }> {
  const servers: ServerUnderTest[] = [];
  const contenders: Contender[] = ["ours"];
  try {
    for (const contender of contenders) {
      const server = await ServerUnderTest.start(
        command,
        contender,
        connections,
      );
      servers.push(server);
      if (contender === "ours") {
        contenders.push(...othersOn(server.runtime, connections));
      }
    }
    const { runtime } = servers[0]!;
    console.log(
      `${runtime}, ${
        connections.toLocaleString("en")
      } connections, events of ` +
        `${EVENT_BYTES} bytes`,
    );
    let met = true;
    const all: HttpResult[] = [];
    for (const scenario of SCENARIOS) {
      const results = await measureScenario(servers, connections, scenario);
      printTable(scenario.name, results);
      all.push(...results);
      if (connections !== CONNECTIONS_OF_GOALS) continue;
      met = judge(scenario, runtime.split(" ")[0]!, results) && met;
    }
    for (const server of servers) await server.checkNoSurplus();
    console.log();
    return { met, results: all };
  } finally {
    for (const server of servers) await server.close();
  }
}

async function measureScenario(
  servers: readonly ServerUnderTest[],
  connections: number,
  { burst }: Scenario,
): Promise<HttpResult[]> {
  const fast = await measure(servers, { burst, ms }, rounds, WARM_UP_ROUNDS);
  const everyMs = connections * burst * MS_PER_MESSAGE;
  // At least two bursts.
  const paced = await measure(
    servers,
    { burst, ms: Math.max(2 * ms, 2 * everyMs), everyMs },
    PACED_ROUNDS,
    0,
  );
  return summarize(
    connections,
    burst,
    servers.map(({ contender, bytesPerConnection }) => ({
      contender,
      bytesPerConnection,
      fast: fast.get(contender)!,
      paced: paced.get(contender)!,
    })),
  );
}

// Closed when `run.ts` ends: this process and its servers must not outlive it.
process.stdin.on("close", () => process.exit(1)).resume().unref();
const results: HttpResult[] = [];
let met = true;
for (const connections of values.connections.split(",").map(Number)) {
  const found = await compare(connections);
  results.push(...found.results);
  met &&= found.met;
}
if (values.json !== undefined) {
  await writeFile(values.json, JSON.stringify(results));
}
if (!met && values.assert) process.exitCode = 1;
