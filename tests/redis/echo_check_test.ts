import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { EchoCheck } from "../../src/redis/connection/echo_check.ts";

const BEAT = 1_000;

/** A node that sends a heartbeat and checks once a beat. */
class Beats {
  readonly check: EchoCheck = new EchoCheck(BEAT);
  now = 0;

  /**
   * Waits for the next heartbeat.
   *
   * @returns Whether the connection is silent before it is sent.
   */
  next(isHeard: boolean, isPublished = true): boolean {
    this.now += BEAT;
    const isSilent = this.check.isSilent(this.now);
    const message = this.check.onSend();
    if (isPublished) this.check.onPublished(message, this.now);
    if (isHeard) this.check.onReceived();
    return isSilent;
  }
}

describe("EchoCheck", () => {
  it("R6 notices within three heartbeats that nothing is received", () => {
    const beats = new Beats();
    for (let at = 0; at < 10; at++) assertEquals(beats.next(true), false);
    const silent = [1, 2, 3, 4].map(() => beats.next(false));
    assertEquals(silent, [false, false, true, true]);
  });

  it("is content with any message", () => {
    const beats = new Beats();
    for (let at = 0; at < 10; at++) {
      assertEquals(beats.next(false), false);
      assertEquals(beats.next(false), false);
      beats.check.onReceived();
    }
  });

  it("expects no echo of what was not published", () => {
    const beats = new Beats();
    for (let at = 0; at < 10; at++) {
      assertEquals(beats.next(false, false), false);
    }
  });

  it("accepts an echo that arrives before the reply of Redis", () => {
    const { check } = new Beats();
    for (let now = 0; now < 10 * BEAT; now += BEAT) {
      assertEquals(check.isSilent(now), false);
      const message = check.onSend();
      check.onReceived();
      check.onPublished(message, now);
    }
  });

  it("reads what has arrived after the event loop was blocked", () => {
    const beats = new Beats();
    beats.next(true);
    beats.next(false);
    beats.now += 60 * BEAT;
    assertEquals(beats.next(false), false);
    beats.check.onReceived();
    assertEquals(beats.next(false), false);
  });

  it("gives a client that reconnects five seconds", () => {
    const beats = new Beats();
    beats.next(true);
    beats.check.onReconnecting();
    const silent = [1, 2, 3, 4, 5, 6, 7].map(() => beats.next(false));
    assertEquals(silent.indexOf(true), 5);
  });
});
