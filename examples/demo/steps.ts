import type { Audience } from "./audience.ts";
import type { OfficialClient } from "./official_client.ts";
import type { Report } from "./report.ts";
import { StreamClient } from "./stream_client.ts";

/** What some clients subscribe to. */
export const NEWS = "file:///news.md";
/** What everyone is told. */
export const LIST_CHANGED = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";

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
