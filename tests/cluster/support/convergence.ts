import { assert, assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import type { Client } from "../../model/client.ts";
import type { Ledger } from "./ledger.ts";
import type { Member } from "./member.ts";
import { IDS, SUBSCRIPTIONS, URIS } from "./operations.ts";
import type { Subscribers } from "./subscribers.ts";
import { pass, settled } from "./timing.ts";

/** How long nodes may take to agree once nothing changes. */
const MOST_MS = 5_000;
const ALL_IDS: readonly string[] = [...IDS, "w0", "w1", "w2", "w3", "w4"];

/** What nodes must agree on. */
export class Agreement {
  readonly #time: FakeTime;
  readonly #live: readonly Member[];
  readonly #ledger: Ledger;
  readonly #subscribers: Subscribers;

  constructor(
    time: FakeTime,
    live: readonly Member[],
    ledger: Ledger,
    subscribers: Subscribers,
  ) {
    this.#time = time;
    this.#live = live;
    this.#ledger = ledger;
    this.#subscribers = subscribers;
  }

  /** Waits until the nodes agree, and checks that what they agree on works. */
  async assert(): Promise<void> {
    await this.#becomes(() => this.#nodes(), "the same nodes");
    await this.#becomes(() => this.#attached(), "the same streams");
    await this.#becomes(() => this.#metadata(), "the same metadata");
    await this.#textsArrive();
    await this.#subscriptionsWork();
    // The checks themselves must not have changed anything.
    const looks = [this.#nodes(), this.#attached(), this.#metadata()];
    const differences = Promise.all(looks);
    assertEquals(
      await settled(this.#time, differences, "The last check"),
      ["", "", ""],
    );
  }

  /** Waits until there is no difference left. */
  async #becomes(look: () => Promise<string>, what: string): Promise<void> {
    const end = Date.now() + MOST_MS;
    while (true) {
      const difference = await settled(this.#time, look(), what);
      if (difference === "") return;
      assert(
        Date.now() < end,
        `The nodes do not agree on ${what}: ${difference}`,
      );
      await pass(this.#time, 50);
    }
  }

  #nodes(): Promise<string> {
    const expected = this.#live.map(({ name }) => name).sort().join();
    const views = this.#live.map(({ name, sessions }) => {
      const names = sessions.nodes().map((node) => node.name).sort().join();
      return names === expected ? "" : `${name} sees ${names}. `;
    });
    return Promise.resolve(views.join(""));
  }

  /**
   * Expects that each session has one stream or none, and that every node
   * knows.
   */
  async #attached(): Promise<string> {
    const views = await Promise.all(ALL_IDS.map(async (id) => {
      const open = this.#open.filter(({ session }) => session === id).length;
      const has = await Promise.all(
        this.#live.map(({ sessions }) => sessions.streams.has(id)),
      );
      return open <= 1 && has.every((is) => is === (open === 1))
        ? ""
        : `${id} has ${open} open streams, but has() returns ${has}. `;
    }));
    return views.join("");
  }

  async #metadata(): Promise<string> {
    const [first, ...others] = await Promise.all(
      this.#live.map(async ({ sessions: { info } }) => {
        const none = () => "none";
        const records = await Promise.all(IDS.map(async (id) => [
          id,
          await info.getClientInfo(id).catch(none),
          await info.getLogLevel(id).catch(none),
        ]));
        const subscribed = await Promise.all(
          URIS.map(async (uri) => (await info.getSubscriptions(uri)).sort()),
        );
        return JSON.stringify([records, subscribed]);
      }),
    );
    const other = others.find((view) => view !== first);
    return other === undefined ? "" : `${first} and ${other}`;
  }

  /** Expects that every stream gets what every node sends from now on. */
  async #textsArrive(): Promise<void> {
    const first = this.#ledger.next;
    const open = this.#open;
    for (const member of this.#live) {
      for (const to of [undefined, ALL_IDS]) {
        const frame = this.#ledger.frame(member, Date.now(), to);
        const sent = member.sessions.streams.send(to && [...to], frame);
        await settled(this.#time, sent, "The last send");
      }
    }
    const numbers = Array.from(
      { length: this.#ledger.next - first },
      (_, at) => first + at,
    );
    await this.#becomes(
      () => {
        const without = open.filter((client) =>
          !this.#ledger.hasGot(client, numbers)
        );
        return Promise.resolve(
          without.map(({ session }) => `${session} lacks some. `).join(""),
        );
      },
      "the last frames",
    );
  }

  async #subscriptionsWork(): Promise<void> {
    const numbers: number[] = [];
    for (const member of this.#live) {
      const notified = this.#subscribers.notify(member);
      numbers.push(await settled(this.#time, notified, "The last notify"));
    }
    await this.#becomes(
      () => {
        const without = this.#subscribers.open(this.#live).filter(({ got }) =>
          !numbers.every((number) => got.includes(number))
        );
        return Promise.resolve(
          without.map(({ id }) => `${id} lacks some. `).join(""),
        );
      },
      "the last notifications",
    );
    this.#subscribers.assertSound();
    for (const [at, id] of SUBSCRIPTIONS.entries()) {
      await this.#ends(this.#live[at % this.#live.length]!, id);
    }
  }

  /**
   * Any node can end a subscription; both of them, if a partition has allowed
   * two.
   */
  async #ends(member: Member, id: number): Promise<void> {
    const isOpen = () =>
      this.#subscribers.open(this.#live).some((each) => each.id === id);
    const wasOpen = isOpen();
    const ended = this.#subscribers.end(member, id);
    assertEquals(
      await settled(this.#time, ended, "The last end"),
      wasOpen,
      `Subscription ${id} was open: ${wasOpen}.`,
    );
    await this.#becomes(async () => {
      // The other one of two may be on this node, which then asks no other.
      if (isOpen()) await this.#subscribers.end(member, id);
      return isOpen() ? `${id} is open` : "";
    }, "no subscription");
  }

  get #open(): Client[] {
    return this.#live.flatMap(({ opened }) => opened)
      .map(({ client }) => client)
      .filter(({ ended }) => ended === undefined);
  }
}
