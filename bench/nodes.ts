/**
 * 100 nodes with 100,000 sessions in one process, over a bus in memory, with the
 * real protocol: what they publish when idle and under load, the memory of a
 * node, and how long the others take to notice that ten have died. Run by
 * `deno task bench:nodes`. All nodes share one processor, so times are upper
 * bounds.
 */
import { ClusterSessions, type MessageBus } from "../src/cluster/mod.ts";
import { setImmediate, setTimeout as delay } from "node:timers/promises";
import { heapUsed } from "../tests/memory/heap.ts";
import { exit, runtime } from "./runtime.ts";

const NODES = 100;
const SESSIONS = 100_000;
const DEAD = 10;
const WINDOW_MS = 10_000;
/** How often each node sends five frames, writes once and begins a session. */
const ROUNDS = 10;
const SENDS = 5;
/** How many sessions a node begins before it waits. */
const BURST = 250;

/** A bus in memory that counts. Messages arrive at the end of a turn. */
class Network {
  readonly #receivers: Map<string, (text: string) => void> = new Map();
  #queue: (() => void)[] = [];
  published = 0;
  delivered = 0;
  characters = 0;

  bus(): MessageBus {
    let name = "";
    return {
      start: (node, receive) => {
        name = node;
        this.#receivers.set(node, receive);
      },
      publish: (text, to) => this.#publish(name, text, to),
      close: () => this.stop(name),
    };
  }

  stop(node: string): void {
    this.#receivers.delete(node);
  }

  #publish(from: string, text: string, to: string | undefined): void {
    if (!this.#receivers.has(from)) return;
    this.published++;
    this.characters += text.length;
    for (const name of to === undefined ? this.#receivers.keys() : [to]) {
      const receive = this.#receivers.get(name);
      if (name === from || receive === undefined) continue;
      this.delivered++;
      if (this.#queue.push(() => receive(text)) > 1) continue;
      void setImmediate().then(() => {
        const messages = this.#queue;
        this.#queue = [];
        for (const deliver of messages) deliver();
      });
    }
  }
}

const network = new Network();
const nodeName = (at: number) => `node-${at}`;

/** Prints what is published while something runs. */
async function count(what: string, run: () => Promise<unknown>): Promise<void> {
  const { published, delivered, characters } = network;
  const startedAt = performance.now();
  await run();
  const seconds = (performance.now() - startedAt) / 1_000;
  const rate = (now: number, before: number) =>
    Math.round((now - before) / seconds / NODES * 10) / 10;
  console.log(
    `${what}: ${seconds.toFixed(1)} s, ${network.published - published} ` +
      `messages; a node and second: ${rate(network.published, published)} ` +
      `published, ${rate(network.delivered, delivered)} received, ` +
      `${rate(network.characters, characters)} characters published`,
  );
}

function openStream(): ReadableStreamDefaultController {
  let controller: ReadableStreamDefaultController | undefined;
  new ReadableStream({
    start: (given) => {
      controller = given;
    },
  });
  return controller!;
}

console.log(`${runtime.name} ${runtime.version}: ${NODES} nodes`);
const nodes: ClusterSessions[] = [];
await count("Start of all nodes", async () => {
  for (let at = 0; at < NODES; at++) {
    nodes.push(
      new ClusterSessions(network.bus(), {
        cluster: { node: nodeName(at) },
        streams: { keepAliveMs: false, backlog: false },
        onError: (error) => console.error(String(error)),
      }),
    );
  }
  await Promise.all(nodes.map(({ ready }) => ready));
});
await until(() => nodes.every((node) => node.nodes().length === NODES));
await delay(3_000);
const before = await heapUsed();

const sessions: string[] = [];
await count(`Begin of ${SESSIONS} sessions`, async () => {
  while (sessions.length < SESSIONS) {
    for (const node of nodes) {
      const begun: Promise<unknown>[] = [];
      for (let burst = 0; burst < BURST; burst++) {
        const id = `session-${sessions.length}`;
        sessions.push(id);
        begun.push(node.streams.create(id, openStream()));
      }
      await Promise.all(begun);
    }
  }
});
await delay(3_000);
const bytes = (await heapUsed() - before) / NODES;
console.log(
  `Memory of a node for its ${SESSIONS / NODES} streams and the owners of ` +
    `all sessions: ${(bytes / 2 ** 20).toFixed(1)} MiB`,
);

await count("Idle", () => delay(WINDOW_MS));
const sends = ROUNDS * NODES * SENDS;
const writes = ROUNDS * NODES;
await count(
  `${sends} targeted sends, ${writes} writes, ${writes} new streams and ` +
    `${ROUNDS} broadcasts`,
  load,
);
await delay(3_000);

for (let at = 0; at < DEAD; at++) network.stop(nodeName(at));
const diedAt = performance.now();
const alive = nodes.slice(DEAD);
const lost = sessions.filter((_, at) => Math.floor(at / BURST) % NODES < DEAD);
await until(() => alive.every((node) => node.nodes().length === alive.length));
const noticed = performance.now() - diedAt;
const has = await Promise.all(
  alive.map((node, at) => node.streams.has(lost[at]!)),
);
console.log(
  `After ${DEAD} nodes have died, the others agree after ` +
    `${(noticed / 1_000).toFixed(1)} s; dead sessions that one still knows: ` +
    `${has.filter(Boolean).length}`,
);
exit(0);

/** Every node sends and writes. Each round waits until that is confirmed. */
async function load(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const done: unknown[] = [];
    for (const [at, node] of nodes.entries()) {
      for (let sent = 0; sent < SENDS; sent++) {
        const number = round * 7_919 + at * 104_729 + sent * 15_485_863;
        const id = sessions[number % SESSIONS]!;
        done.push(node.streams.send([id], "data: targeted\n\n"));
        if (sent === 0) done.push(node.info.setLogLevel(id, "warning"));
      }
      done.push(node.streams.create(`new-${round}-${at}`, openStream()));
    }
    await Promise.all(done);
    nodes[round % NODES]!.streams.send(undefined, "data: broadcast\n\n");
  }
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await delay(20);
}
