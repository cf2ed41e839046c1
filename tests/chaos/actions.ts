import { frame, TestClient } from "../../src/testing/support/test_client.ts";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { ChaosClient } from "./client.ts";
import { type FaultName, FAULTS } from "./faults.ts";
import type { FaultSpan, History, Sent } from "./history.ts";
import { ChaosNode, HEARTBEAT_MS } from "./node.ts";
import type { Action, Schedule } from "./schedule.ts";
import type { Store } from "./stores/store.ts";

const FEWEST_NODES = 2;
const MOST_NODES = 4;
const MOST_CLIENTS = 12;
const REQUEST_TIMEOUT_MS = 1_000;
/** How long the process is blocked, in milliseconds. */
const BLOCK_MS = 900;

/** What a run works with. */
export interface Setting {
  readonly schedule: Schedule;
  readonly store: Store;
  readonly history: History;
  readonly random: () => number;
}

type Of<Do extends Action["do"]> = Extract<Action, { do: Do }>;

/** Does what a schedule says, and keeps what follows from it. */
export class Actions {
  /** The nodes that are alive. */
  nodes: ChaosNode[] = [];
  /** Calls that are not awaited yet. */
  readonly pending: Map<Promise<unknown>, string> = new Map();
  readonly #setting: Setting;
  readonly #history: History;
  readonly #heals: Map<FaultName, () => Promise<void>> = new Map();
  #texts = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#history = setting.history;
  }

  /** The clients whose sessions are live. */
  get live(): ChaosClient[] {
    return this.#history.clients.filter(({ state }) => state === "live");
  }

  /** Does one thing. What takes longer goes on in the background. */
  async do(action: Action): Promise<void> {
    const { live, nodes } = this;
    switch (action.do) {
      case "begin":
        return void this.#later(this.begin(action.on, action.opens), "begin");
      case "start node":
        if (nodes.length < MOST_NODES) {
          this.#later(this.startNode(), "start node");
        }
        return;
      case "close node":
        return this.#closeNode(action);
      case "kill node":
        return this.#killNode(action);
      case "snapshot":
        // A server that is down or stopped keeps what it had.
        if (!this.#hasServerFault) await this.#setting.store.snapshot?.();
        return;
      case "fault":
        return await this.#fail(action);
      case "heal":
        return await this.heal(action.fault);
      case "send":
        return this.#send(action);
    }
    const client = at(live, action.client);
    if (client === undefined) return;
    switch (action.do) {
      case "open":
        return client.open(at(nodes, action.on)!, action.isAbrupt);
      case "leave":
        return client.leave();
      case "ping":
        return void this.#later(
          this.#ping(client, at(nodes, action.on)!),
          "ping",
        );
      case "write":
        return void this.#later(
          this.#write(client, at(nodes, action.on)!),
          "write",
        );
      case "end":
        return void this.#later(this.#end(client, action), "end");
    }
  }

  /** Begins a session. */
  async begin(on: number, opens: boolean): Promise<void> {
    const node = at(this.nodes, on)!;
    if (this.live.length >= MOST_CLIENTS) return;
    const askedAt = this.#history.now;
    let client: TestClient | undefined;
    try {
      client = await TestClient.begin(node.sessions);
    } catch (error) {
      if (node.goneAt === Infinity) {
        this.#history.violate(`${node.name} begins no session: ${error}`);
      }
      return;
    }
    if (node.goneAt < Infinity) return;
    const { random } = this.#setting;
    const made = new ChaosClient(
      client.id,
      askedAt,
      this.#history,
      () => at(this.nodes, Math.floor(random() * 100)),
    );
    made.knownTo.add(node);
    this.#history.clients.push(made);
    if (opens) made.open(node, false);
  }

  /** Starts a node. */
  async startNode(): Promise<void> {
    const { schedule, store } = this.#setting;
    const history = this.#history;
    const name = `n${history.nodes.length}`;
    const startedAt = history.now;
    // Its number is taken before it is there.
    const slot = history.nodes.push(undefined as never) - 1;
    const made = await store.join({
      cluster: {
        node: name,
        heartbeatMs: HEARTBEAT_MS,
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
      },
      streams: { replay: schedule.replay && {} },
      onError: (error) =>
        void history.reports.push({
          node: history.nodes[slot]!,
          error,
          at: history.now,
        }),
    }, schedule.library);
    const node = new ChaosNode(name, startedAt, made);
    history.nodes[slot] = node;
    await made.sessions.ready;
    this.nodes.push(node);
  }

  /** Waits until the nodes know each other, and no others. */
  async meet(): Promise<void> {
    await until(
      () =>
        this.nodes.every(({ sessions }) =>
          sessions.nodes().length === this.nodes.length
        ),
      () =>
        `nodes that know each other, ${
          this.nodes.map(({ name, sessions }) =>
            `${name}: ${sessions.nodes().map(({ name }) => name)}`
          ).join("; ")
        }`,
      PATIENCE_MS,
    );
  }

  /** Ends a fault, or all of them. */
  async heal(fault?: FaultName): Promise<void> {
    const faults = fault === undefined ? [...this.#heals.keys()] : [fault];
    for (const fault of faults) {
      await this.#heals.get(fault)?.();
      this.#heals.delete(fault);
    }
  }

  /** Sends a message. */
  send(
    node: ChaosNode,
    to: ReadonlySet<ChaosClient> | undefined,
  ): Promise<void> {
    const history = this.#history;
    const sent: Sent = {
      text: `m${this.#texts++} of ${node.name}`,
      sender: node,
      number: node.sent++,
      to,
      met: new Set(node.met),
      at: history.now,
      settledAt: Infinity,
    };
    history.sent.set(sent.text, sent);
    const ids = to && [...to].map(({ id }) => id);
    return Promise.resolve(node.sessions.streams.send(ids, frame(sent.text)))
      .then(() => void (sent.settledAt = history.now), (error) => {
        if (node.goneAt === Infinity) {
          history.violate(`a send of ${node.name} was rejected: ${error}`);
        }
      });
  }

  /** Ends everything. */
  async dispose(): Promise<void> {
    for (const client of this.#history.clients) client.leave();
    await this.heal().catch(() => {});
    for (const node of this.#history.nodes) await node?.dispose();
  }

  get #hasServerFault(): boolean {
    return [...this.#heals.keys()].some((fault) =>
      FAULTS[fault].scope === "server"
    );
  }

  #later(call: Promise<unknown>, what: string): void {
    const done = call.catch((error) =>
      this.#history.violate(`${what} was rejected: ${(error as Error).stack}`)
    ).finally(() => this.pending.delete(done));
    this.pending.set(done, what);
  }

  #send({ on, to, count, waits }: Of<"send">): void {
    const node = at(this.nodes, on)!;
    const { live } = this;
    const recipients = to &&
      new Set(to.map((number) => at(live, number)).filter((some) => !!some));
    if (recipients?.size === 0) return;
    const sendAll = async () => {
      for (let left = count; left > 0 && node.goneAt === Infinity; left--) {
        const sent = this.send(node, recipients);
        if (waits) await sent;
        else this.#later(sent, "send");
      }
    };
    this.#later(sendAll(), "sends");
  }

  async #ping(client: ChaosClient, node: ChaosNode): Promise<void> {
    if (await client.ping(node) === 200) client.knownTo.add(node);
  }

  async #write(client: ChaosClient, node: ChaosNode): Promise<void> {
    const { info } = node.sessions;
    const value = ++client.written;
    client.writers.add(node);
    const from = this.#history.now;
    const isConcurrent = client.writing++ > 0;
    // What several nodes wrote around an outage may be stored in any order.
    const isOver = () =>
      node.goneAt < Infinity || client.state !== "live" ||
      client.written !== value ||
      isConcurrent || this.#history.cameBack(from) ||
      client.writers.size > 1 &&
        this.#history.isDisturbed(from, this.#history.now);
    try {
      await info.setData(client.id, value);
      this.#history.note(`${node.name} wrote ${value} for ${client.name}`);
      if (isOver()) return;
      client.knownTo.add(node);
      const read = await info.getData(client.id);
      if (isOver() || read === value) return;
      this.#history.violate(
        `${node.name} wrote ${value} for ${client.name}, and reads ${read}`,
      );
    } catch (error) {
      if (isOver()) return;
      this.#history.violate(
        `${node.name} writes or reads nothing for ${client.name}: ${error}`,
      );
    } finally {
      client.writing--;
    }
  }

  async #end(client: ChaosClient, { on, isDelete }: Of<"end">): Promise<void> {
    const node = at(this.nodes, on)!;
    client.state = "ending";
    client.ending = { node, isDelete };
    const how = isDelete ? "deleted" : "ended";
    this.#history.note(`${client.name} is ${how} on ${node.name}`);
    client.leave();
    if (isDelete) {
      const status = await new TestClient(node.sessions, { id: client.id })
        .end().catch(() => 0);
      if (status === 200) this.#ended(client);
      return;
    }
    const ended = await node.sessions.end({ session: client.id })
      .catch(() => 0);
    if (ended === 1) this.#ended(client);
  }

  #ended(client: ChaosClient): void {
    client.state = "ended";
    client.endedAt = this.#history.now;
    this.#history.note(`${client.name} has ended`);
  }

  #closeNode({ on, drainMs }: Of<"close node">): void {
    if (this.nodes.length <= FEWEST_NODES) return;
    const node = this.#remove(on);
    this.#later(
      node.sessions.close(drainMs === 0 ? {} : { drainMs }),
      `close ${node.name}`,
    );
  }

  #killNode({ on }: Of<"kill node">): void {
    // Where it cannot be cut off, only a real process could be killed.
    const isPossible = at(this.nodes, on)!.link !== undefined;
    if (this.nodes.length <= FEWEST_NODES || !isPossible) return;
    const node = this.#remove(on);
    node.wasKilled = true;
    node.link!.end();
    for (const client of this.#history.clients) client.lose(node);
  }

  #remove(on: number): ChaosNode {
    const node = at(this.nodes, on)!;
    this.nodes = this.nodes.filter((other) => other !== node);
    node.goneAt = this.#history.now;
    return node;
  }

  async #fail({ fault, on }: Of<"fault">): Promise<void> {
    const history = this.#history;
    const node = FAULTS[fault].scope === "node"
      ? at(this.nodes, on)!
      : undefined;
    const span: FaultSpan = {
      fault,
      node,
      from: history.now,
      healedAt: Infinity,
    };
    history.faults.push(span);
    const heal = await this.#begin(fault, node);
    this.#heals.set(fault, async () => {
      await heal();
      span.healedAt = history.now;
    });
  }

  async #begin(
    fault: FaultName,
    node: ChaosNode | undefined,
  ): Promise<() => unknown> {
    if (fault === "block") {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCK_MS);
      return () => {};
    }
    if (node === undefined) return await this.#setting.store.fail(fault);
    const heal = node.link!.fail(fault);
    // One that was killed stays cut off.
    return () => node.wasKilled || heal();
  }
}

function at<Item>(items: readonly Item[], number: number): Item | undefined {
  return items[number % items.length];
}
