// Lets nodes and sessions come and go for an hour of fake time, and prints what
// is left of them after ten minutes and at the end. Run by
// tests/memory/cluster_test.ts in its own process, which can collect garbage.
import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { heapUsed } from "../../memory/heap.ts";
import { FakeTime } from "../../npm_std/time.ts";

/** What is left of nodes and sessions. */
export interface Costs {
  /** Characters that a joining node receives and sends. */
  readonly joining: number;
  /** Characters that idle nodes send in ten seconds. */
  readonly idling: number;
  /** Bytes of objects. */
  readonly heap: number;
  /** Nodes that one of them knows, and streams that it has. */
  readonly nodes: number;
  readonly attached: number;
}

const MINUTES = 60;
const EARLY = 9;
/** How many sessions come and go every two seconds, on each node. */
const SESSIONS = 4;
const IDLE_MS = 120_000;

const time = new FakeTime(1_000_000);
const CONDITIONS = { dropRate: 0.02, delayMs: [0, 20] } as const;
const network = new LossyNetwork(CONDITIONS);
const stays = [join("n0"), join("n1")];
const found: Costs[] = [];
for (let minute = 0; minute < MINUTES; minute++) {
  const guest = join(`guest ${minute}`);
  for (let step = 0; step < 30; step++) {
    for (const [at, node] of [...stays, guest].entries()) {
      for (let count = 0; count < SESSIONS; count++) {
        // A temporary node may leave before it has done all of it.
        void live(node, `${minute}-${step}-${at}-${count}`).catch(() => {});
      }
    }
    await pass(2_000, 500);
  }
  // Every other one dies without a message.
  if (minute % 2) network.stop(`guest ${minute}`);
  await settle(guest.close());
  if (minute === EARLY || minute === MINUTES - 1) found.push(await costs());
}
const [early, late] = found;
const { pending } = await closed();
console.log(JSON.stringify({ early, late, pending }));

function join(node: string): ClusterSessions {
  return new ClusterSessions(network.bus(), {
    cluster: { node },
    streams: { keepAliveMs: false },
    // The metadata of a dead node's sessions belongs to no node.
    info: { idleTimeoutMs: IDLE_MS },
  });
}

/** Everything that a session does in its life. */
async function live(node: ClusterSessions, id: string): Promise<void> {
  const uri = `file:///${id}`;
  await node.streams.create(id, stream());
  await node.info.setClientInfo(id, { name: id, version: "1.0.0" });
  await node.info.addSubscription(id, uri);
  await node.info.removeSubscription(id, uri);
  await node.info.addSubscription(id, "file:///shared");
  await node.subscriptions.create(
    { id, origin: id, filters: { toolsListChanged: true } },
    { acknowledge: () => {}, send: () => {}, close: () => {} },
  );
  await node.streams.send([id], "data: one\n\n");
  await node.streams.send(undefined, "data: all\n\n");
  await node.subscriptions.close(id, id, "closed");
  await node.streams.delete(id);
  await node.info.delete(id);
}

async function costs(): Promise<Costs> {
  const said = () => network.stats().characters;
  // What is sent again would hide what idle nodes send.
  network.become({});
  // Everything that expires after a while has expired now.
  await pass(IDLE_MS + 120_000, 1_000);
  const before = said();
  await pass(10_000, 500);
  const idling = said() - before;
  const guest = join("late");
  await pass(10_000, 100);
  const joining = said() - before - 2 * idling;
  await settle(guest.close());
  await pass(60_000, 500);
  network.become(CONDITIONS);
  const { attached, cluster: { nodes } } = stays[0]!.stats();
  return { joining, idling, heap: await settle(heapUsed()), nodes, attached };
}

/** Closes everything; returns whether a timer still runs. */
async function closed(): Promise<{ pending: boolean }> {
  for (const node of stays) await settle(node.close());
  await pass(1_000, 20);
  return { pending: time.next() };
}

async function settle<Value>(promise: Promise<Value>): Promise<Value> {
  let isSettled = false;
  void promise.finally(() => isSettled = true);
  while (!isSettled) await pass(100, 50);
  return await promise;
}

async function pass(ms: number, stepMs: number): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    time.tick(stepMs);
    for (let turn = 0; turn < 2; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

function stream(): ReadableStreamDefaultController {
  let controller: ReadableStreamDefaultController | undefined;
  new ReadableStream({
    start: (given) => {
      controller = given;
    },
  });
  return controller!;
}
