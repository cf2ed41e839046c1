import { frame } from "../../src/testing/support/test_client.ts";
import { ChaosClient } from "./client.ts";
import type { Sent } from "./history.ts";
import type { ChaosNode } from "./nodes/chaos_node.ts";
import { PendingCalls } from "./pending_calls.ts";
import { begin, endSession } from "./requests.ts";
import { RunFaults } from "./run_faults.ts";
import { RunNodes } from "./run_nodes.ts";
import type { Action } from "./schedule.ts";
import { at, type Setting } from "./setting.ts";

const MOST_CLIENTS = 12;

type Of<Do extends Action["do"]> = Extract<Action, { do: Do }>;

/** Does what a schedule says, and keeps what follows from it. */
export class Actions {
  /** Calls that are not awaited yet. */
  readonly pending: PendingCalls;
  readonly nodes: RunNodes;
  readonly faults: RunFaults;
  readonly #setting: Setting;
  #texts = 0;

  /** @param setting What the run works with. */
  constructor(setting: Setting) {
    this.#setting = setting;
    this.pending = new PendingCalls(setting.history);
    this.nodes = new RunNodes(setting, this.pending);
    this.faults = new RunFaults(setting, this.nodes);
  }

  /** The clients whose sessions are live. */
  get live(): ChaosClient[] {
    const { clients } = this.#setting.history;
    return clients.filter(({ state }) => state === "live");
  }

  /** Does one thing. What takes longer goes on in the background. */
  async do(action: Action): Promise<void> {
    const { nodes, faults, pending } = this;
    switch (action.do) {
      case "begin":
        return pending.add(this.begin(action.on, action.opens), "begin");
      case "start node":
        return nodes.startLater();
      case "close node":
        return nodes.close(action.on, action.drainMs);
      case "kill node":
        return nodes.kill(action.on);
      case "replace process":
        return nodes.replaceProcess();
      case "snapshot":
        return await faults.takeSnapshot();
      case "fault":
        return await faults.begin(action.fault, action.on);
      case "heal":
        return await faults.heal(action.fault);
      case "send":
        return this.#send(action);
    }
    const client = at(this.live, action.client);
    if (client === undefined) return;
    if (action.do === "leave") return client.leave();
    const node = at(nodes.alive, action.on)!;
    switch (action.do) {
      case "open":
        return client.open(node, action.isAbrupt);
      case "ping":
        return pending.add(this.#ping(client, node), "ping");
      case "write":
        return pending.add(this.#write(client, node), "write");
      case "end":
        return pending.add(this.#end(client, node, action.isDelete), "end");
    }
  }

  /** Begins a session. */
  async begin(on: number, opens: boolean): Promise<void> {
    const { history, random } = this.#setting;
    const node = at(this.nodes.alive, on)!;
    if (this.live.length >= MOST_CLIENTS) return;
    const askedAt = history.now;
    let id: string;
    try {
      id = await begin(node);
    } catch (error) {
      if (node.goneAt === Infinity) {
        history.violate(`${node.name} begins no session: ${error}`);
      }
      return;
    }
    if (node.goneAt < Infinity) return;
    const made = new ChaosClient(
      id,
      askedAt,
      history,
      () => at(this.nodes.alive, Math.floor(random() * 100)),
    );
    made.knownTo.add(node);
    history.clients.push(made);
    if (opens) made.open(node, false);
  }

  /** Sends a message. */
  send(
    node: ChaosNode,
    to: ReadonlySet<ChaosClient> | undefined,
  ): Promise<void> {
    const { history } = this.#setting;
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
    return node.handle.send(ids, frame(sent.text))
      .then(() => void (sent.settledAt = history.now), (error) => {
        if (node.goneAt === Infinity) {
          history.violate(`a send of ${node.name} was rejected: ${error}`);
        }
      });
  }

  /** Ends everything. */
  async dispose(): Promise<void> {
    for (const client of this.#setting.history.clients) client.leave();
    await this.faults.heal().catch(() => {});
    await this.nodes.dispose();
  }

  #send({ on, to, count, waits }: Of<"send">): void {
    const node = at(this.nodes.alive, on)!;
    const { live } = this;
    const recipients = to &&
      new Set(to.map((number) => at(live, number)).filter((some) => !!some));
    if (recipients?.size === 0) return;
    const sendAll = async () => {
      for (let left = count; left > 0 && node.goneAt === Infinity; left--) {
        const sent = this.send(node, recipients);
        if (waits) await sent;
        else this.pending.add(sent, "send");
      }
    };
    this.pending.add(sendAll(), "sends");
  }

  async #ping(client: ChaosClient, node: ChaosNode): Promise<void> {
    if (await client.ping(node) === 200) client.knownTo.add(node);
  }

  async #write(client: ChaosClient, node: ChaosNode): Promise<void> {
    const { history } = this.#setting;
    const { handle } = node;
    const value = ++client.written;
    client.writers.add(node);
    const from = history.now;
    const isConcurrent = client.writing++ > 0;
    // What several nodes wrote around an outage may be stored in any order.
    const isOver = () =>
      node.goneAt < Infinity || client.state !== "live" ||
      client.written !== value ||
      isConcurrent || history.cameBack(from) ||
      client.writers.size > 1 &&
        history.isDisturbed(from, history.now);
    try {
      await handle.setData(client.id, value);
      history.note(`${node.name} wrote ${value} for ${client.name}`);
      if (isOver()) return;
      client.knownTo.add(node);
      const read = await handle.getData(client.id);
      if (isOver() || read === value) return;
      history.violate(
        `${node.name} wrote ${value} for ${client.name}, and reads ${read}`,
      );
    } catch (error) {
      if (isOver()) return;
      history.violate(
        `${node.name} writes or reads nothing for ${client.name}: ${error}`,
      );
    } finally {
      client.writing--;
    }
  }

  async #end(
    client: ChaosClient,
    node: ChaosNode,
    isDelete: boolean,
  ): Promise<void> {
    const { history } = this.#setting;
    const { id, name } = client;
    client.state = "ending";
    client.ending = { node, isDelete };
    history.note(
      `${name} is ${isDelete ? "deleted" : "ended"} on ${node.name}`,
    );
    client.leave();
    const hasEnded = isDelete
      ? endSession(node, id).then((status) => status === 200)
      : node.handle.end(id).then((count) => count === 1);
    // Otherwise nobody knows whether it has.
    if (!await hasEnded.catch(() => false)) return;
    client.state = "ended";
    client.endedAt = history.now;
    history.note(`${name} has ended`);
  }
}
