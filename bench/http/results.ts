import { ratio, type Spread, spread } from "../paired_rounds.ts";
import type { Contender } from "./control.ts";
import { percentile } from "./latencies.ts";
import type { Run } from "./server_under_test.ts";

/** What was measured of a contender. */
export interface HttpResult {
  readonly connections: number;
  /** How many events at a time. */
  readonly burst: number;
  readonly contender: Contender;
  readonly messagesPerSecond: Spread;
  /** Time of the server's processors for a message, in microseconds. */
  readonly cpuMicros: Spread;
  /** Milliseconds from the call that sends until a client has it. */
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly bytesPerConnection: number;
  /** How many times as many messages ours delivers; not of ours itself. */
  readonly timesOurs?: Spread | undefined;
  /** How many times as much of the processors it needs as ours does. */
  readonly cpuTimesOurs?: Spread | undefined;
  /** How much of one processor server and clients needed. */
  readonly busy: readonly [server: number, clients: number];
}

/** What was measured in rounds. */
export interface Measured {
  readonly contender: Contender;
  readonly bytesPerConnection: number;
  /** Sending as fast as can be. */
  readonly fast: readonly Run[];
  /** Sending every so often. */
  readonly paced: readonly Run[];
}

/** Sums up the rounds of all contenders. */
export function summarize(
  connections: number,
  burst: number,
  all: readonly Measured[],
): HttpResult[] {
  const ours = all.find(({ contender }) => contender === "ours")!.fast;
  return all.map(({ contender, bytesPerConnection, fast, paced }) => {
    const over = (percent: number) =>
      spread(paced.map(({ latencies }) => percentile(latencies, percent)));
    const isOurs = contender === "ours";
    return {
      connections,
      burst,
      contender,
      messagesPerSecond: spread(fast.map((run) => rate(run) * connections)),
      cpuMicros: spread(fast.map((run) => cpu(run) * 1_000 / connections)),
      p50Ms: over(50),
      p99Ms: over(99),
      bytesPerConnection: Math.round(bytesPerConnection),
      timesOurs: isOurs ? undefined : ratio(ours.map(rate), fast.map(rate)),
      cpuTimesOurs: isOurs ? undefined : ratio(fast.map(cpu), ours.map(cpu)),
      busy: [busy(fast, "cpuMs"), busy(fast, "clientCpuMs")],
    };
  });
}

/** Events a second. */
function rate({ events, ms }: Run): number {
  return events / ms * 1_000;
}

/** Milliseconds of the server's processors for an event. */
function cpu({ events, cpuMs }: Run): number {
  return cpuMs / events;
}

/** How much of a processor a side needed: the server's should be all of one. */
function busy(runs: readonly Run[], side: "cpuMs" | "clientCpuMs"): number {
  return spread(runs.map((run) => run[side] / run.ms)).median;
}
