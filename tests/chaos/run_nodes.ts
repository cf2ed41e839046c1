import { until } from "../e2e/support/until.ts";
import { ChaosNode, HEARTBEAT_MS } from "./nodes/chaos_node.ts";
import { LocalNode } from "./nodes/local_node.ts";
import { ProcessNode } from "./nodes/process_node.ts";
import type { PendingCalls } from "./pending_calls.ts";
import { at, PATIENCE_MS, type Setting } from "./setting.ts";

const FEWEST_NODES = 2;
const MOST_NODES = 4;
const REQUEST_TIMEOUT_MS = 1_000;

/** The nodes of a run. */
export class RunNodes {
  /** The nodes that are alive. */
  alive: readonly ChaosNode[] = [];
  /** How many processes were killed. */
  killedProcesses: number = 0;
  readonly #setting: Setting;
  readonly #pending: PendingCalls;
  readonly #closers: (() => Promise<unknown>)[] = [];

  /**
   * @param setting What the run works with.
   * @param pending Calls in the background.
   */
  constructor(setting: Setting, pending: PendingCalls) {
    this.#setting = setting;
    this.#pending = pending;
  }

  /** Starts a node, in this process or in one of its own. */
  async start(isProcess: boolean = false): Promise<void> {
    const { schedule, store, history } = this.#setting;
    const { library, replay } = schedule;
    const name = `n${history.nodes.length}`;
    const node = new ChaosNode(name, history.now);
    history.nodes.push(node);
    const { ports, link, close } = await store.access();
    this.#closers.push(close);
    const make = isProcess ? ProcessNode.make : LocalNode.make;
    const handle = await make(
      {
        store: store.name,
        ports,
        library,
        options: {
          cluster: {
            node: name,
            heartbeatMs: HEARTBEAT_MS,
            requestTimeoutMs: REQUEST_TIMEOUT_MS,
          },
          streams: { replay: replay && {} },
        },
      },
      link,
      (error) => void history.reports.push({ node, error, at: history.now }),
    );
    node.onMade(handle);
    this.alive = [...this.alive, node];
  }

  /** Starts a node in the background, unless there are many. */
  startLater(isProcess: boolean = false): void {
    if (this.alive.length >= MOST_NODES) return;
    this.#pending.add(this.start(isProcess), "start node");
  }

  /** Closes a node, unless there are few. */
  close(on: number, drainMs: number): void {
    if (this.alive.length <= FEWEST_NODES) return;
    const node = at(this.alive, on)!;
    this.#remove(node);
    this.#pending.add(node.handle.close(drainMs), `close ${node.name}`);
  }

  /** Kills a node, unless there are few. */
  kill(on: number): void {
    const node = at(this.alive, on)!;
    if (this.alive.length > FEWEST_NODES) this.#kill(node);
  }

  /** Kills the node that has a process of its own, and starts another one. */
  replaceProcess(): void {
    const node = this.alive.find(({ handle }) => handle.isProcess);
    if (node !== undefined) this.#kill(node);
    this.startLater(true);
  }

  /** Waits until the nodes know each other, and no others. */
  async meet(): Promise<void> {
    const { alive } = this;
    await until(
      () =>
        alive.every(({ handle }) => handle.state.nodes.length === alive.length),
      () =>
        `nodes that know each other, ${
          alive.map(({ name, handle }) => `${name}: ${handle.state.nodes}`)
            .join("; ")
        }`,
      PATIENCE_MS,
    );
  }

  /** Ends all. */
  async dispose(): Promise<void> {
    const { history } = this.#setting;
    for (const node of history.nodes) {
      await node.dispose().catch((error) =>
        history.violate(`${node.name} has failed: ${error}`)
      );
    }
    for (const close of this.#closers) await close();
  }

  #kill(node: ChaosNode): void {
    const { handle } = node;
    if (!handle.isKillable) return;
    this.#remove(node);
    node.wasKilled = true;
    if (handle.isProcess) this.killedProcesses++;
    handle.kill();
    // The clients of a process notice that by themselves.
    if (handle.isProcess) return;
    for (const client of this.#setting.history.clients) client.lose(node);
  }

  #remove(node: ChaosNode): void {
    this.alive = this.alive.filter((other) => other !== node);
    node.goneAt = this.#setting.history.now;
  }
}
