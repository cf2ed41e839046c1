import { ratio, type Spread, spread } from "../paired_rounds.ts";
import type { Contender } from "./control.ts";
import { percentile } from "./latencies.ts";
import type { Run } from "./server_under_test.ts";

/** The results of a contender. */
export interface HttpResult {
  readonly connections: number;
  /** The number of events in a burst. */
  readonly burst: number;
  readonly contender: Contender;
  readonly messagesPerSecond: Spread;
  /** CPU time of the server per message, in microseconds. */
  readonly cpuMicros: Spread;
  /** Milliseconds from the call that sends until a client has the event. */
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly bytesPerConnection: number;
  /**
   * The ratio of our messages per second to this contender's; undefined for
   * ours.
   */
  readonly timesOurs?: Spread | undefined;
  /** The ratio of this contender's CPU time to ours. */
  readonly cpuTimesOurs?: Spread | undefined;
  /** The share of one processor that the server and the clients used. */
  readonly busy: readonly [server: number, clients: number];
}

/** The runs of all rounds. */
export interface Measured {
  readonly contender: Contender;
  readonly bytesPerConnection: number;
  /** Runs at full speed. */
  readonly fast: readonly Run[];
  /** Runs at a fixed pace. */
  readonly paced: readonly Run[];
}

/** Summarizes the rounds of all contenders. */
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

/** Events per second. */
function rate({ events, ms }: Run): number {
  return events / ms * 1_000;
}

/** CPU time of the server per event, in milliseconds. */
function cpu({ events, cpuMs }: Run): number {
  return cpuMs / events;
}

/** The share of a processor that a side used: the server's should be all of one. */
function busy(runs: readonly Run[], side: "cpuMs" | "clientCpuMs"): number {
  return spread(runs.map((run) => run[side] / run.ms)).median;
}
