/**
 * How fast what is sent arrives over real connections, compared with the peer
 * and, on Node, with better-sse. `run.ts` starts it on each runtime that it finds,
 * and bundles it first. What starts a server on the runtime under test comes after
 * `--`, and this process has all the clients.
 *
 * `--connections`, `--rounds` and `--ms` (of a contender's share of a round) say
 * how much is measured; `--assert` makes the exit code 1 when a goal is missed.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { Contender } from "./control.ts";
import { EVENT_BYTES } from "./events.ts";
import { printTable, ratiosTo } from "./report.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";
import { type Run, ServerUnderTest } from "./server_under_test.ts";

/** In these the runtimes find out what to compile; they do not count. */
const WARM_UP_ROUNDS = 2;

const { values, positionals: command } = parseArgs({
  allowPositionals: true,
  options: {
    connections: { type: "string", default: "1000" },
    rounds: { type: "string", default: "12" },
    ms: { type: "string", default: "500" },
    assert: { type: "boolean", default: false },
  },
});
const [connections, rounds, ms] = [values.connections, values.rounds, values.ms]
  .map(Number) as [number, number, number];

/**
 * Measures in rounds: each contender in every round, in the other direction every
 * second time, so that what else the machine does hits all of them.
 */
async function measure(
  servers: readonly ServerUnderTest[],
  { burst }: Scenario,
): Promise<Map<Contender, Run[]>> {
  const runs = new Map(
    servers.map(({ contender }): [Contender, Run[]] => [contender, []]),
  );
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const order = round % 2 === 0 ? servers : servers.toReversed();
    for (const server of order) {
      const run = await server.run(burst, ms);
      if (round >= 0) runs.get(server.contender)!.push(run);
    }
  }
  return runs;
}

/** Compares with the goals, in messages a second; tells whether all are met. */
function judge(
  { goals, name }: Scenario,
  runtime: string,
  runs: Map<Contender, Run[]>,
): boolean {
  let met = true;
  for (const [other, { [runtime]: goal }] of Object.entries(goals)) {
    const others = runs.get(other as Contender);
    if (goal === undefined || others === undefined) continue;
    const holds = ratiosTo(others, runs.get("ours")!).rate.median >= goal;
    met &&= holds;
    console.log(
      `${holds ? "met   " : "MISSED"}  ${name}: at least ${goal} times the ` +
        `messages a second of ${other}`,
    );
  }
  return met;
}

async function main(): Promise<boolean> {
  const servers: ServerUnderTest[] = [];
  const contenders: Contender[] = ["ours", "peer"];
  try {
    for (const contender of contenders) {
      const server = await ServerUnderTest.start(
        command,
        contender,
        connections,
      );
      servers.push(server);
      if (contender === "peer" && server.runtime.startsWith("Node")) {
        contenders.push("better-sse");
      }
    }
    const met = await compare(servers);
    for (const server of servers) await server.checkSurplus();
    return met;
  } finally {
    for (const server of servers) await server.close();
  }
}

async function compare(servers: ServerUnderTest[]): Promise<boolean> {
  const { runtime } = servers[0]!;
  console.log(
    `${runtime}, ${connections.toLocaleString("en")} connections, events of ` +
      `${EVENT_BYTES} bytes`,
  );
  let met = true;
  for (const scenario of SCENARIOS) {
    const runs = await measure(servers, scenario);
    printTable(scenario.name, connections, runs);
    met = judge(scenario, runtime.split(" ")[0]!, runs) && met;
  }
  return met;
}

// Closed when `run.ts` is gone: whatever is left ends as well then.
process.stdin.on("close", () => process.exit(1)).resume().unref();
if (!await main() && values.assert) process.exitCode = 1;
