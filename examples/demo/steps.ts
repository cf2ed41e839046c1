import type { Audience } from "./audience.ts";
import type { OfficialClient } from "./official_client.ts";
import { count, type Report } from "./report.ts";
import { StreamClient } from "./stream_client.ts";

/** What some clients subscribe to. */
export const NEWS = "file:///news.md";
/** What everyone is told. */
export const LIST_CHANGED = "notifications/tools/list_changed";
/** What those are told who subscribed. */
export const UPDATED = "notifications/resources/updated";

/** What every demo shows, with one client that makes the server send. */
export class Steps {
  readonly #report: Report;
  readonly #audience: Audience;
  readonly #caller: OfficialClient;

  constructor(report: Report, audience: Audience, caller: OfficialClient) {
    this.#report = report;
    this.#audience = audience;
    this.#caller = caller;
  }

  /** Tells those who subscribed. */
  async newsChanged(): Promise<void> {
    await this.#report.step("the news changed", this.#audience, {
      method: UPDATED,
      to: (client) => client.subscribed,
      times: 1,
      cause: () => this.#caller.call("publish"),
    });
  }

  /** Tells everyone many times at once. */
  async manyAtOnce(): Promise<void> {
    await this.#report.step("20 times at once", this.#audience, {
      method: LIST_CHANGED,
      to: () => true,
      times: 20,
      cause: () =>
        Promise.all(
          Array.from({ length: 20 }, () => this.#caller.call("learn")),
        ),
    });
  }

  /**
   * Has each worker send once. The front gives one call after the other to the next.
   *
   * @param name What this step is called.
   * @param workers How many there are.
   */
  async onEach(name: string, workers: number): Promise<void> {
    const senders = new Set<string>();
    await this.#report.step(name, this.#audience, {
      method: LIST_CHANGED,
      to: () => true,
      times: workers,
      cause: async () => {
        while (senders.size < workers) {
          const before = senders.size;
          senders.add(await this.#caller.call("learn"));
          if (senders.size === before) break;
        }
      },
    });
    this.#report.expect(
      senders.size === workers,
      `${name}: only ${senders.size} have sent`,
    );
  }

  /** Every fourth is away for a while, and comes back through another worker. */
  async someAway(): Promise<void> {
    const travellers = this.#audience.clients
      .filter((client) => client instanceof StreamClient)
      .filter((_, place) => place % 4 === 0);
    const left = travellers.map(({ worker }) => worker);
    await this.#report.step("5 while some are away", this.#audience, {
      method: LIST_CHANGED,
      to: () => true,
      times: 5,
      cause: async () => {
        const comeBack = travellers.map((client) => client.leave());
        for (let call = 0; call < 5; call++) await this.#caller.call("learn");
        for (const back of comeBack) back();
      },
    });
    const moved = travellers.filter(({ worker }, at) => worker !== left[at]);
    this.#report.say(
      "",
      `${count(travellers.length)} were away, ${count(moved.length)} of them ` +
        "came back through another one",
    );
    this.#report.expect(
      moved.length > 0,
      "nobody came back through another one",
    );
  }

  /** Ends a session, and tells everyone else. */
  async oneDeleted(): Promise<void> {
    const gone = this.#audience.clients.find((client) =>
      client instanceof StreamClient
    )!;
    await gone.delete();
    await this.#report.step("one session deleted", this.#audience, {
      method: LIST_CHANGED,
      to: (client) => client !== gone,
      times: 1,
      cause: () => this.#caller.call("learn"),
    });
    this.#report.expect(
      await this.#audience.ended([gone]) === 1,
      "DELETE did not end the stream of the session",
    );
  }
}
