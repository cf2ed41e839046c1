import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { usingFakeTime } from "../support/streams.ts";
import { parseSse } from "../support/sse_parser.ts";
import { Member } from "./support/member.ts";
import { HEARTBEAT_MS, pass, settled } from "./support/timing.ts";

const COUNT = 50;

describe("ClusterSessions: anti-entropy", () => {
  it(
    "C10 nodes reach sessions while their data is requested again",
    usingFakeTime(async (time) => {
      const network = new LossyNetwork({ delayMs: [10, 10] });
      const here = new Member(network, "here");
      const bus = network.bus();
      const there = new Member(network, "there", {
        start: (node, receive) => bus.start(node, receive),
        // Its digest never matches what the other node knows.
        publish: (text, to) => bus.publish(withWrongDigests(text), to),
        close: () => bus.close(),
      });
      const members = [here, there];
      const ready = members.map(({ sessions }) => sessions.ready);
      await settled(time, Promise.all(ready), "ready");
      const { client, created } = there.create("s");
      await settled(time, created, "create");
      const sent = Array.from({ length: COUNT }, (_, count) => `${count}`);
      for (const text of sent) {
        void here.sessions.streams.send(["s"], `data: ${text}\n\n`);
        await pass(time, HEARTBEAT_MS / 4);
      }
      await pass(time, 100);
      const got = parseSse(client.text).events.map(({ data }) => data);
      assertEquals(got, sent);
      const closing = members.map(({ sessions }) => sessions.close());
      await settled(time, Promise.all(closing), "close");
      await pass(time, 20);
      assert(!time.next(), "A timer still runs.");
    }),
  );
});

function withWrongDigests(text: string): string {
  const packet = JSON.parse(text);
  if (packet.kind !== "heartbeat") return text;
  return JSON.stringify({ ...packet, digests: { owners: 1, records: 1 } });
}
