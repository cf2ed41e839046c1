/**
 * Sending to several workers, for `deno bench`: 100 frames of 1 KB in bursts of
 * ten to 10,000 streams of 1 to 8 workers, until everything is read. The lower
 * bound posts the same frames in bare messages. Then single operations of 2 to
 * 8 nodes on one thread, until all nodes know the result.
 */
import { BroadcastChannelSessions } from "../src/broadcast_channel/mod.ts";
import { makeFrame } from "./fan_out.ts";
import { OpenStreams } from "./streams.ts";
import { WorkerGroup } from "./workers/worker_group.ts";

const STREAMS = 10_000;
const THREAD = new URL("workers/thread.ts", import.meta.url);
const frame = makeFrame(1_000);

let group: { of: number; started: Promise<WorkerGroup> } | undefined;

/** One group at a time: idle workers of another would use its processors. */
async function groupOf(workers: number): Promise<WorkerGroup> {
  if (group?.of !== workers) {
    await (await group?.started)?.close();
    group = {
      of: workers,
      started: WorkerGroup.start(THREAD, workers, STREAMS / workers),
    };
  }
  return group.started;
}

for (const workers of [1, 2, 4, 8]) {
  for (const contender of ["ours", "bare"] as const) {
    Deno.bench({
      name: contender === "ours" ? "BroadcastChannelSessions" : "bare messages",
      group: `to ${workers} workers, 10,000 streams in all`,
      baseline: contender === "ours",
      n: 5,
      warmup: 2,
      async fn(b) {
        const group = await groupOf(workers);
        b.start();
        await group.send(contender, frame, 100, 10);
        b.end();
      },
    });
  }
}

type Nodes = [
  first: BroadcastChannelSessions,
  ...others: BroadcastChannelSessions[],
];

/** Operations that all nodes know of when they are over. */
const OPERATIONS: Record<string, (nodes: Nodes, id: string) => unknown> = {
  "create a stream, and delete it": async ([node], id) => {
    await node.streams.create(id, new OpenStreams(1).controllers[0]!);
    await node.streams.delete(id);
  },
  "set the log level": ([node], id) => node.info.setLogLevel(id, "info"),
  "get the log level": async ([node, other], id) => {
    await node.info.setLogLevel(id, "info");
    await other!.info.getLogLevel(id);
  },
};

let nodes: { of: number; opened: Promise<Nodes> } | undefined;

async function nodesOf(count: number): Promise<Nodes> {
  if (nodes?.of !== count) {
    await (await group?.started)?.close();
    group = undefined;
    await Promise.all((await nodes?.opened)?.map((node) => node.close()) ?? []);
    nodes = { of: count, opened: open(count) };
  }
  return nodes.opened;
}

for (const count of [2, 4, 8]) {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    let turn = 0;
    Deno.bench({
      name,
      group: `${count} nodes on one thread`,
      n: 200,
      async fn(b) {
        const nodes = await nodesOf(count);
        b.start();
        await operation(nodes, `${name} ${turn++}`.replaceAll(/[ ,]/g, "-"));
        b.end();
      },
    });
  }
}

async function open(count: number): Promise<Nodes> {
  const name = crypto.randomUUID();
  const nodes = Array.from(
    { length: count },
    () => new BroadcastChannelSessions(name),
  );
  await Promise.all(nodes.map((node) => node.ready));
  return nodes as Nodes;
}
