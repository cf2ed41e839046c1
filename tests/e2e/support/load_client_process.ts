// The process of a crowd's clients: crowd.ts starts it and writes orders to it, a
// line each; it answers each with a line. It ends when its input does.
import process from "node:process";
import { createInterface } from "node:readline";
import { CrowdClient } from "./load_client.ts";
import type { End, Order, Report } from "./load_orders.ts";

/** How many connect at a time. */
const AT_ONCE = 50;
const PATIENCE_MS = 10_000;

const port = Number(process.argv[2]);
const groups = new Map<string, CrowdClient[]>();
/** How long events took, by their number. */
const latencies = new Map<number, number[]>();

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await obey(JSON.parse(line)) ?? null));
}
process.exit();

async function obey(order: Order): Promise<Report | End[] | undefined> {
  if ("open" in order) return await open(order);
  const name = Object.values(order)[0] as string;
  const group = groups.get(name) ?? [];
  if ("pace" in order) {
    for (const client of group) client.pace(order.everyMs);
  } else if ("leave" in order) {
    for (const client of group) client.leave(order.how);
  } else if ("report" in order) {
    return await report(group, order.upTo);
  } else {
    await until(() => group.every((client) => client.end !== "open"));
    return group.map((client) => client.end);
  }
}

async function open(
  { open: name, count, pace }: Extract<Order, { open: string }>,
): Promise<undefined> {
  const group: CrowdClient[] = [];
  groups.set(name, group);
  while (group.length < count) {
    const batch = Math.min(AT_ONCE, count - group.length);
    for (let index = 0; index < batch; index++) {
      const id = `${name}-${group.length}`;
      group.push(new CrowdClient(port, id, pace, note));
    }
    if (!await until(() => group.every((client) => client.isConnected))) {
      throw new Error(`Not all of ${name} are connected.`);
    }
  }
}

function note(event: number, ms: number): void {
  const noted = latencies.get(event);
  if (noted === undefined) latencies.set(event, [ms]);
  else noted.push(ms);
}

function p99(values: number[]): number {
  values.sort((one, other) => one - other);
  return values[Math.ceil(values.length * 0.99) - 1]!;
}

async function report(group: CrowdClient[], upTo: number): Promise<Report> {
  const complete = () =>
    group.filter(({ events }) => (events.last ?? 0) >= upTo).length;
  await until(() => complete() === group.length);
  const p99s = [...latencies.values()].map(p99);
  latencies.clear();
  return {
    complete: complete(),
    wrong: group.reduce((sum, { events }) => sum + events.wrong, 0),
    p99s,
  };
}

/** Waits for a condition, but not forever; resolves with whether it holds. */
async function until(condition: () => boolean): Promise<boolean> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition() && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return condition();
}
