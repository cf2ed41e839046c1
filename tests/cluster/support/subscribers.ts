import type { JSONRPCNotification } from "@crossmcp/session-manager";
import { assert } from "@std/assert";
import type { Member } from "./member.ts";

const ORIGIN = "origin";

/** A subscription, and what it received. */
export interface Subscriber {
  readonly member: Member;
  readonly id: number;
  readonly got: number[];
  isClosed: boolean;
}

/** All subscriptions that were made. */
export class Subscribers {
  readonly all: Subscriber[] = [];
  readonly #sentBy: Member[] = [];

  /** Subscribes to everything, if the ID is free. */
  async listen(member: Member, id: number): Promise<void> {
    const subscriber = { member, id, got: [] as number[], isClosed: false };
    const isNew = await member.sessions.subscriptions.create(
      { id, origin: ORIGIN, filters: { toolsListChanged: true } },
      {
        acknowledge: () => {},
        send: ({ params }) => {
          assert(!subscriber.isClosed, "A notification arrived after the end.");
          subscriber.got.push(params.number);
        },
        close: () => {
          assert(!subscriber.isClosed, "A subscription was closed twice.");
          subscriber.isClosed = true;
        },
      },
    );
    if (isNew) this.all.push(subscriber);
  }

  /** Sends a notification to everyone; returns its number. */
  async notify(member: Member): Promise<number> {
    const number = this.#sentBy.push(member) - 1;
    const notification: JSONRPCNotification = {
      jsonrpc: "2.0",
      method: "notifications/tools/list_changed",
      params: { number },
    };
    await member.sessions.subscriptions.send(notification);
    return number;
  }

  /** Ends a subscription, on whichever node it is. */
  async end(member: Member, id: number): Promise<boolean> {
    const { subscriptions } = member.sessions;
    return await subscriptions.close(id, ORIGIN, "closed");
  }

  /** The open subscriptions on live nodes. */
  open(live: readonly Member[]): Subscriber[] {
    return this.all.filter(({ member, isClosed }) =>
      !isClosed && live.includes(member)
    );
  }

  /**
   * Expects that each got a notification at most once, and those of a sender in
   * order.
   */
  assertSound(): void {
    for (const { id, got } of this.all) {
      const newest = new Map<Member, number>();
      for (const number of got) {
        const by = this.#sentBy[number]!;
        const before = newest.get(by) ?? -1;
        assert(
          number > before,
          `Subscription ${id} got ${number} of ${by.name} after ${before}.`,
        );
        newest.set(by, number);
      }
    }
  }
}
