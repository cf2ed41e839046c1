import type { Audience } from "./audience.ts";
import type { OfficialClient } from "./official_client.ts";
import { count, type Report } from "./report.ts";
import { StreamClient } from "./stream_client.ts";

/** The resource that some clients subscribe to. */
export const NEWS = "file:///news.md";
/** The notification for all clients. */
export const LIST_CHANGED = "notifications/tools/list_changed";
/** The notification for subscribers. */
export const UPDATED = "notifications/resources/updated";

/** The steps of every demo, with one client that makes the server send. */
export class Steps {
  readonly #report: Report;
  readonly #audience: Audience;
  readonly #caller: OfficialClient;

  constructor(report: Report, audience: Audience, caller: OfficialClient) {
    this.#report = report;
    this.#audience = audience;
    this.#caller = caller;
  }

  /** Notifies the subscribers. */
  async newsChanged(): Promise<void> {
    await this.#report.step("the news changed", this.#audience, {
      method: UPDATED,
      to: (client) => client.subscribed,
      times: 1,
      cause: () => this.#caller.call("publish"),
    });
  }

  /** Notifies all clients many times at once. */
  async manyAtOnce(): Promise<void> {
    await this.#report.step("20 times at once", this.#audience, {
      method: LIST_CHANGED,
      to: () => true,
      times: 20,
      cause: () =>
        Promise.all(
          Array.from({ length: 20 }, () => this.#caller.call("add_tool")),
        ),
    });
  }

  /**
   * Makes each worker send once. The load balancer passes each call to the next
   * worker.
   *
   * @param name The name of the step.
   * @param workers The number of workers.
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
          senders.add(await this.#caller.call("add_tool"));
          if (senders.size === before) break;
        }
      },
    });
    this.#report.expect(
      senders.size === workers,
      `${name}: only ${senders.size} workers have sent`,
    );
  }

  /**
   * Disconnects every fourth client for a while; it reconnects through another
   * worker.
   */
  async someAway(): Promise<void> {
    const disconnected = this.#audience.clients
      .filter((client) => client instanceof StreamClient)
      .filter((_, place) => place % 4 === 0);
    const left = disconnected.map(({ worker }) => worker);
    await this.#report.step("5, some disconnected", this.#audience, {
      method: LIST_CHANGED,
      to: () => true,
      times: 5,
      cause: async () => {
        const comeBack = disconnected.map((client) => client.leave());
        for (let call = 0; call < 5; call++) {
          await this.#caller.call("add_tool");
        }
        for (const back of comeBack) back();
      },
    });
    const moved = disconnected.filter(({ worker }, at) => worker !== left[at]);
    this.#report.print(
      "",
      `${count(disconnected.length)} were disconnected, ${
        count(moved.length)
      } of them ` +
        "reconnected through another one",
    );
    this.#report.expect(
      moved.length > 0,
      "no client reconnected through another one",
    );
  }

  /** Deletes a session, and notifies all other clients. */
  async oneDeleted(): Promise<void> {
    const gone = this.#audience.clients.find((client) =>
      client instanceof StreamClient
    )!;
    await gone.delete();
    await this.#report.step("one session deleted", this.#audience, {
      method: LIST_CHANGED,
      to: (client) => client !== gone,
      times: 1,
      cause: () => this.#caller.call("add_tool"),
    });
    this.#report.expect(
      await this.#audience.ended([gone]) === 1,
      "DELETE did not end the stream of the session",
    );
  }
}
