import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { Agreement } from "./convergence.ts";
import { Ledger, type Witness } from "./ledger.ts";
import { Links } from "./peers.ts";
import { Member } from "./member.ts";
import { type Schedule, type Step, URIS } from "./operations.ts";
import { Subscribers } from "./subscribers.ts";
import { pass, settled } from "./timing.ts";

/** Fewer nodes have nothing to agree on. */
const FEWEST = 2;
const MOST = 6;
/** How long nodes have to recover while messages get lost. */
const QUIET_MS = 200;

type Of<Do extends Step["do"]> = Extract<Step, { do: Do }>;

/** Runs a schedule, and checks the outcome. */
export class Run {
  readonly #time: FakeTime;
  readonly #schedule: Schedule;
  readonly #network: LossyNetwork;
  readonly #links = new Links();
  readonly #ledger = new Ledger();
  readonly #subscribers = new Subscribers();
  readonly #all: Member[] = [];
  readonly #witnesses: Witness[] = [];
  readonly #pending: Promise<unknown>[] = [];
  #live: Member[] = [];
  #wentLast: string | undefined;
  #values = 0;

  constructor(schedule: Schedule, time: FakeTime) {
    const { seed, mostDelayMs } = schedule;
    this.#time = time;
    this.#schedule = schedule;
    this.#network = new LossyNetwork({
      seed,
      delayMs: [0, mostDelayMs],
      onDelivery: (delivery) => this.#links.received(delivery, Date.now()),
    });
  }

  /** How many frames had to arrive, and how many did not. */
  get counts(): Ledger["counts"] {
    return this.#ledger.counts;
  }

  /** Runs all operations, lets the nodes come to rest, and checks them. */
  async all(): Promise<void> {
    const first = Array.from(
      { length: this.#schedule.nodes },
      () => this.#join(`n${this.#all.length}`),
    );
    const ready = first.map(({ sessions }) => sessions.ready);
    await settled(this.#time, Promise.all(ready), "ready");
    for (const [at, member] of first.entries()) {
      const { client, created } = member.create(`w${at}`, true);
      this.#witnesses.push({ member, client });
      await settled(this.#time, created, "The first create");
    }
    for (const member of first) {
      assertEquals(member.sessions.nodes().length, first.length);
    }
    this.#links.settled();
    const { dropRate, duplicateRate, mostDelayMs } = this.#schedule;
    const delayMs = [0, mostDelayMs] as const;
    this.#network.become({ dropRate, duplicateRate, delayMs });
    for (const step of this.#schedule.steps) {
      const done = this.#do(step);
      if (step.waits) await settled(this.#time, done, `"${step.do}"`);
      else {
        // It is awaited at the end; a failure must not end the process before.
        done.catch(() => {});
        this.#pending.push(done);
      }
    }
    this.#network.heal();
    await settled(this.#time, Promise.all(this.#pending), "A pending call");
    await pass(this.#time, QUIET_MS);
    // A node that loses three heartbeats in a row is considered dead, so
    // nothing is certain before losses end.
    this.#network.become({ duplicateRate, delayMs });
    await new Agreement(
      this.#time,
      this.#live,
      this.#ledger,
      this.#subscribers,
    ).assert();
    for (const member of this.#all) {
      for (const opened of member.opened) this.#ledger.assertSound(opened);
    }
    for (const witness of this.#witnesses) {
      this.#ledger.assertComplete(witness, this.#links);
    }
    await this.#close();
  }

  async #close(): Promise<void> {
    // The dead ones as well: nothing of theirs may continue.
    const closing = this.#all.map(({ sessions }) => sessions.close());
    await settled(this.#time, Promise.all(closing), "close");
    // What is in flight arrives within that time.
    await pass(this.#time, this.#schedule.mostDelayMs + 5);
    assert(!this.#time.next(), "A timer still runs.");
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case "partition":
        return this.#partition(step);
      case "heal":
        return this.#network.heal();
      case "wait":
        return await pass(this.#time, step.ms);
      case "join":
        return await this.#joinLate(step);
    }
    const member = this.#live[step.on % this.#live.length]!;
    try {
      await this.#doOn(member, step);
    } catch (error) {
      // A node that leaves refuses pending calls, and so does a stream that a
      // newer one replaces.
      const { name } = error as Error;
      const mayClose = step.do === "create" || member.goneAt < Infinity;
      if (name !== "ClosedError" || !mayClose) throw error;
    }
  }

  async #doOn(
    member: Member,
    step: Exclude<Step, Of<"partition" | "heal" | "wait" | "join">>,
  ): Promise<void> {
    const { streams } = member.sessions;
    switch (step.do) {
      case "create":
        return await member.create(step.id).created;
      case "delete":
        return await streams.delete(step.id);
      case "has":
        return void await streams.has(step.id);
      case "broadcast": {
        const sent: unknown[] = [];
        for (let count = 0; count < step.count; count++) {
          const frame = this.#ledger.frame(member, Date.now());
          sent.push(streams.send(undefined, frame));
        }
        return void await Promise.all(sent);
      }
      case "targeted send":
        return await this.#sendToSome(member, step);
      case "write":
        return await this.#write(member, step);
      case "listen":
        return await this.#subscribers.listen(member, step.id);
      case "notify":
        return void await this.#subscribers.notify(member);
      case "end":
        return void await this.#subscribers.end(member, step.id);
      case "kill":
        if (this.#live.length <= FEWEST) return;
        this.#network.stop(member.name);
        return this.#gone(member);
      case "leave":
        if (this.#live.length <= FEWEST) return;
        this.#gone(member);
        return await member.sessions.close();
    }
  }

  #join(name: string): Member {
    this.#links.forget(name);
    const member = new Member(this.#network, name);
    this.#all.push(member);
    this.#live.push(member);
    return member;
  }

  async #joinLate({ again }: Of<"join">): Promise<void> {
    if (this.#live.length >= MOST) return;
    const name = again && this.#wentLast;
    this.#wentLast = undefined;
    await this.#join(name || `n${this.#all.length}`).sessions.ready;
  }

  #gone(member: Member): void {
    member.goneAt = Date.now();
    this.#live = this.#live.filter((other) => other !== member);
    this.#wentLast = member.name;
  }

  #partition({ on, others }: Of<"partition">): void {
    const names = this.#live.map(({ name }) => name);
    const first = on % names.length;
    this.#network.partition([names.slice(first, first + 1 + others)]);
  }

  async #sendToSome(
    member: Member,
    { ids, waits }: Of<"targeted send">,
  ): Promise<void> {
    const { streams } = member.sessions;
    // Only sessions that the node knows can be expected to get it. Looking
    // others up takes time, in which it may forget the first ones.
    let known = waits ? ids.filter((id) => id.startsWith("w")) : [];
    for (let look = 0; look < 2; look++) {
      const has = await Promise.all(known.map((id) => streams.has(id)));
      known = known.filter((_, at) => has[at]);
    }
    const frame = this.#ledger.frame(member, Date.now(), ids, known);
    await streams.send([...ids], frame);
  }

  async #write(
    { sessions: { info } }: Member,
    { id, what, value }: Of<"write">,
  ): Promise<void> {
    switch (what) {
      case "info":
        return await info.setClientInfo(id, {
          name: id,
          version: `${this.#values++}`,
        });
      case "level":
        return await info.setLogLevel(
          id,
          (["debug", "error", undefined] as const)[value],
        );
      case "subscribe":
        return await info.addSubscription(id, URIS[value]!);
      case "unsubscribe":
        return await info.removeSubscription(id, URIS[value]!);
      case "delete":
        return await info.delete(id);
    }
  }
}
