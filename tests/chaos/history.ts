import { type FaultName, FAULTS } from "./faults.ts";
import type { ChaosClient } from "./client.ts";
import type { ChaosNode } from "./nodes/chaos_node.ts";

/** A message that a node was asked to send. */
export interface Sent {
  readonly text: string;
  readonly sender: ChaosNode;
  /** Its number among those of the sender. */
  readonly number: number;
  /** Its recipients; undefined for everyone. */
  readonly to: ReadonlySet<ChaosClient> | undefined;
  /** The names of the nodes that the sender had met. */
  readonly met: ReadonlySet<string>;
  /** When `send` was called. */
  readonly at: number;
  /** When its promise was settled. */
  settledAt: number;
}

/** A fault, and when it was there. */
export interface FaultSpan {
  readonly fault: FaultName;
  /** The node that it concerns; undefined for all. */
  readonly node: ChaosNode | undefined;
  readonly from: number;
  healedAt: number;
}

/** What a node reported. */
export interface Report {
  readonly node: ChaosNode;
  readonly error: Error;
  readonly at: number;
}

/** How long a node may need to notice that something is wrong. */
const NOTICE_MS = 2_000;

/** What happened so far. */
export class History {
  readonly sent: Map<string, Sent> = new Map();
  readonly clients: ChaosClient[] = [];
  readonly nodes: ChaosNode[] = [];
  readonly faults: FaultSpan[] = [];
  readonly reports: Report[] = [];
  /** What was found to be wrong. */
  readonly violations: string[] = [];
  /** What else happened, for the description. */
  readonly notes: [at: number, text: string][] = [];
  /** When each round began. */
  readonly rounds: number[] = [];
  /** When everything worked again at the end of a round. */
  readonly calmSince: number[] = [];
  /** Whether sessions and events are in a store that the nodes share. */
  readonly isStored: boolean;
  readonly #start = performance.now();

  /** @param isStored Whether the nodes share a store. */
  constructor(isStored: boolean) {
    this.isStored = isStored;
  }

  /** The time since the start, in milliseconds. */
  get now(): number {
    return performance.now() - this.#start;
  }

  /** Adds something that happened. */
  note(text: string): void {
    this.notes.push([this.now, text]);
  }

  /** Adds something that is wrong. */
  violate(text: string): void {
    this.violations.push(`[${Math.round(this.now)} ms] ${text}`);
  }

  /** Returns whether a server came back with older data since some time. */
  cameBack(since: number): boolean {
    return this.faults.some(({ fault, healedAt }) =>
      FAULTS[fault].bringsBack === true && healedAt > since
    );
  }

  /** Returns whether the nodes began a new log in a span of time. */
  hasNewLog(from: number, to: number): boolean {
    return this.isStored &&
      this.faults.some((span) =>
        FAULTS[span.fault].beginsLog === true && span.from <= to &&
        from <= span.healedAt
      );
  }

  /** Tells what happened, one event a line. */
  describe(): string {
    const lines: [at: number, text: string][] = [
      ...this.notes,
      ...this.rounds.map((at, round): [number, string] => [
        at,
        `round ${round + 1}`,
      ]),
      ...this.calmSince.map((at): [number, string] => [at, "all works again"]),
      ...this.faults.flatMap(({ fault, node, from, healedAt }) => {
        const name = `${fault} ${node?.name ?? ""}`;
        return [[from, `${name}begins`], [healedAt, `${name}ends`]] as [
          number,
          string,
        ][];
      }),
      ...this.nodes.filter((node) => node.goneAt < Infinity).map((
        { name, goneAt, wasKilled },
      ): [number, string] => [
        goneAt,
        `${name} ${wasKilled ? "is killed" : "closes"}`,
      ]),
      ...this.reports.map(({ node, error, at }): [number, string] => [
        at,
        `${node.name} reports: ${error.message}`,
      ]),
      ...this.clients.flatMap(({ name, connections, received, ...client }) => [
        [client.beganAt, `${name} begins`] as [number, string],
        ...connections.flatMap(({ node, number, ...connection }) =>
          [
            [connection.requestedAt, `asks ${node.name} for stream ${number}`],
            [connection.connectedAt, `has stream ${number}`],
            [connection.closedAt, `has no stream ${number}`],
          ].map(([at, text]): [number, string] => [
            at as number,
            `${name} ${text}`,
          ])
        ),
        ...received.map(({ text, eventId, at }): [number, string] => [
          at,
          `${name} gets ${text ?? "a reset"} (${eventId})`,
        ]),
      ]),
      ...[...this.sent.values()].map(({ at, text, to }): [number, string] => [
        at,
        `${text} is sent to ${
          to ? [...to].map(({ name }) => name) : "everyone"
        }`,
      ]),
    ];
    return lines.filter(([at]) => at < Infinity).sort(([a], [b]) => a - b)
      .map(([at, text]) => `  ${Math.round(at)} ms: ${text}`).join("\n");
  }

  /**
   * Returns whether something failed in a span of time: a fault, up to the time
   * when everything worked again, or an outage that a node reported, on a
   * machine that is busy.
   */
  isDisturbed(from: number, to: number): boolean {
    const { rounds, calmSince } = this;
    return rounds.some((start, at) => {
      const next = rounds[at + 1] ?? Infinity;
      const isIn = (time: number) => time >= start && time < next;
      const reports = this.reports.flatMap(({ node, at }) =>
        isIn(at) && at < node.goneAt ? at : []
      );
      const begin = Math.min(
        ...this.faults.flatMap((span) => isIn(span.from) ? span.from : []),
        ...reports.map((time) => Math.max(start, time - NOTICE_MS)),
      );
      const calm = calmSince[at] ?? Infinity;
      const end = reports.some((time) => time > calm) ? next : calm;
      return begin <= to && from <= end;
    });
  }
}
