import { assert, assertEquals } from "@std/assert";
import type { Client } from "../../model/client.ts";
import { parseSse } from "../../support/sse_parser.ts";
import type { Links } from "./peers.ts";
import type { Member, Opened } from "./member.ts";

/** How long before and after a send the nodes must know each other. */
const AROUND_MS = 1_000;

/** A frame that the test sent. */
interface Sent {
  readonly by: Member;
  readonly at: number;
  /** `undefined` for everyone. */
  readonly to: ReadonlySet<string> | undefined;
  /** The sessions that had a stream, according to the sender. */
  readonly known: ReadonlySet<string>;
}

/** A stream that exists as long as its node. */
export interface Witness {
  readonly member: Member;
  readonly client: Client;
}

/** All frames that were sent, and the streams that must get them. */
export class Ledger {
  readonly #sent: Sent[] = [];
  /** How many frames witnesses had to get, and how many they did not. */
  readonly counts = { owed: 0, excused: 0 };

  /** Records a frame; returns the data to send. */
  frame(
    by: Member,
    at: number,
    to?: readonly string[],
    known: readonly string[] = [],
  ): string {
    const number = this.#sent.length;
    this.#sent.push({
      by,
      at,
      to: to && new Set(to),
      known: new Set(known),
    });
    return `data: ${number}\n\n`;
  }

  /**
   * Expects that a stream got its own frames, at most once, and in the order of
   * each sender.
   */
  assertSound({ client, since }: Opened): void {
    const { session, fault } = client;
    const name = JSON.stringify(session);
    const newest = new Map<Member, number>();
    const got = numbersOf(client);
    assertEquals(got.length, new Set(got).size, `${name} got a frame twice.`);
    for (const number of got) {
      const { by, at, to } = this.#sent[number]!;
      assert(
        to === undefined || to.has(session),
        `${name} got frame ${number}, which is for others.`,
      );
      const before = newest.get(by) ?? -1;
      // A frame that is forwarded to where a session has moved may come later.
      const isMoving = at < since + AROUND_MS;
      assert(
        isMoving || number > before,
        `${name} got text ${number} of ${by.name} after ${before}.`,
      );
      newest.set(by, Math.max(before, number));
    }
    assert(!fault, `${name} ${fault}.`);
  }

  /**
   * Expects that a witness got everything, or a reset.
   */
  assertComplete({ member, client }: Witness, links: Links): void {
    const got = new Set(numbersOf(client));
    for (const [number, sent] of this.#sent.entries()) {
      const { by, at, to, known } = sent;
      if (to !== undefined && !known.has(client.session)) continue;
      if (!isOwed(sent, member, links)) {
        this.counts.excused++;
        continue;
      }
      this.counts.owed++;
      if (got.has(number) || wasReset(client)) continue;
      const kind = to === undefined ? "to all" : "to some";
      assert(
        false,
        `"${client.session}" on ${member.name} did not get frame ${number} ` +
          `${kind} of ${by.name}, sent at ${at}.`,
      );
    }
  }

  /** Returns whether a stream got the frames with these numbers. */
  hasGot(client: Client, numbers: readonly number[]): boolean {
    const got = new Set(numbersOf(client));
    return numbers.every((number) => got.has(number));
  }

  /** The number of the next frame. */
  get next(): number {
    return this.#sent.length;
  }
}

function isOwed({ by, at }: Sent, member: Member, links: Links): boolean {
  const lives = [by, member].every(({ goneAt }) => at + AROUND_MS < goneAt);
  return lives &&
    (by === member || links.wereGood(by.name, member.name, at, AROUND_MS));
}

function numbersOf(client: Client): number[] {
  return parseSse(client.text).events.filter((event) => !isReset(event))
    .map(({ data }) => Number(data));
}

function wasReset(client: Client): boolean {
  return parseSse(client.text).events.some(isReset);
}

function isReset({ event }: { readonly event: string }): boolean {
  return event === "reset";
}
