// A process with many clients, started by load_clients.ts. Reads one command
// per line from stdin and writes one response per line to stdout. Exits when
// stdin ends.
import process from "node:process";
import { createInterface } from "node:readline";
import { LoadClient } from "./load_client.ts";
import type { Command, Outcome, Report } from "./load_commands.ts";

/** Number of clients that connect at a time. */
const BATCH_SIZE = 50;
const TIMEOUT_MS = 10_000;

const port = Number(process.argv[2]);
const groups = new Map<string, LoadClient[]>();
/** Latencies of each event, by event number. */
const latencies = new Map<number, number[]>();

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await run(JSON.parse(line)) ?? null));
}
process.exit();

async function run(command: Command): Promise<Report | Outcome[] | undefined> {
  if ("open" in command) return await open(command);
  const name = Object.values(command)[0] as string;
  const group = groups.get(name) ?? [];
  if ("pace" in command) {
    for (const client of group) client.setPace(command.everyMs);
  } else if ("disconnect" in command) {
    for (const client of group) client.disconnect(command.how);
  } else if ("report" in command) {
    return await report(group, command.upTo);
  } else {
    await until(() => group.every((client) => client.outcome !== "open"));
    return group.map((client) => client.outcome);
  }
}

async function open(
  { open: name, count, pace }: Extract<Command, { open: string }>,
): Promise<undefined> {
  const group: LoadClient[] = [];
  groups.set(name, group);
  while (group.length < count) {
    const batch = Math.min(BATCH_SIZE, count - group.length);
    for (let index = 0; index < batch; index++) {
      const id = `${name}-${group.length}`;
      group.push(new LoadClient(port, id, pace, recordLatency));
    }
    if (!await until(() => group.every((client) => client.isConnected))) {
      throw new Error(`Not all clients of ${name} have connected.`);
    }
  }
}

function recordLatency(event: number, ms: number): void {
  const noted = latencies.get(event);
  if (noted === undefined) latencies.set(event, [ms]);
  else noted.push(ms);
}

function p99(values: number[]): number {
  values.sort((one, other) => one - other);
  return values[Math.ceil(values.length * 0.99) - 1]!;
}

async function report(group: LoadClient[], upTo: number): Promise<Report> {
  const complete = () =>
    group.filter(({ events }) => (events.last ?? 0) >= upTo).length;
  await until(() => complete() === group.length);
  const p99s = [...latencies.values()].map(p99);
  latencies.clear();
  return {
    complete: complete(),
    sequenceErrors: group.reduce(
      (sum, { events }) => sum + events.sequenceErrors,
      0,
    ),
    p99s,
  };
}

/** Waits for a condition until a timeout. Returns whether it holds. */
async function until(condition: () => boolean): Promise<boolean> {
  const end = performance.now() + TIMEOUT_MS;
  while (!condition() && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return condition();
}
