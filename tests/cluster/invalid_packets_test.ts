import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import { usingFakeTime, withFakeTime } from "../support/streams.ts";
import { Member } from "./support/member.ts";
import { LEASE_MS, pass, settled } from "./support/timing.ts";

const PEER = "peer";

describe("ClusterSessions: a peer that sends invalid packets", () => {
  it("C13 nodes keep working, and forget the peer", async () => {
    const received = await conversation();
    assert(received.length > 20, "The nodes sent hardly any packets.");
    const packet = fc.nat({ max: received.length - 1 }).map((at) =>
      received[at]!
    );
    const change = fc.record({
      place: fc.nat({ max: 1_000 }),
      value: fc.jsonValue(),
    });
    const nonsense = fc.array(
      fc.tuple(packet, fc.array(change, { minLength: 1, maxLength: 3 })),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(
        nonsense,
        (nonsense) =>
          holds(nonsense.map(([packet, changes]) => {
            const copy = structuredClone(packet);
            for (const { place, value } of changes) {
              replace(copy, place, value);
            }
            // Nodes are told apart by their names only.
            return JSON.stringify({ ...copy, from: PEER });
          })),
      ),
      { numRuns: 200, seed: 20_251_125 },
    );
  });

  it(
    "C13 ignored packets are counted",
    usingFakeTime(async (time) => {
      const network = new LossyNetwork();
      const member = new Member(network, "n0");
      await settled(time, member.sessions.ready, "ready");
      const peer = network.bus();
      await peer.start(PEER, () => {});
      const texts = ["", "{", "null", "7", '{"v":3}', '{"v":4,"from":"x"}'];
      for (const text of texts) void peer.publish(text, undefined);
      await pass(time, 5);
      const { ignored } = member.sessions.stats().cluster;
      assertEquals(ignored, texts.length);
      assertEquals(member.errors, []);
      await settled(time, member.sessions.close(), "close");
    }),
  );
});

type Json = Record<string, unknown>;

/** Returns what nodes send each other while a bit of everything is done. */
async function conversation(): Promise<Json[]> {
  const received = new Map<string, Json>();
  await withFakeTime(async (time) => {
    const network = new LossyNetwork({
      seed: 3,
      dropRate: 0.1,
      onDelivery: ({ text }) => void received.set(text, JSON.parse(text)),
    });
    const members = ["n0", "n1"].map((name) => new Member(network, name));
    const [a, b] = members.map(({ sessions }) => sessions);
    await settled(time, Promise.all([a!.ready, b!.ready]), "ready");
    await settled(time, members[0]!.create("a").created, "create");
    await settled(time, members[1]!.create("b").created, "create");
    await settled(time, members[1]!.create("a").created, "create");
    await a!.streams.send(undefined, "data: all\n\n");
    await a!.streams.send(["b"], "data: one\n\n");
    await settled(time, a!.info.setLogLevel("a", "info"), "set");
    await settled(time, b!.info.addSubscription("a", "file:///a"), "add");
    const { subscriptions } = a!;
    const notification = {
      jsonrpc: "2.0" as const,
      method: "notifications/tools/list_changed",
    };
    await settled(time, subscriptions.send(notification), "notify");
    await settled(time, subscriptions.close(1, "o", "closed"), "close");
    await settled(time, subscriptions.closeAll("o"), "closeAll");
    await settled(time, b!.streams.delete("a"), "delete");
    await settled(time, b!.streams.has("nobody"), "has");
    await settled(time, a!.info.delete("a"), "delete");
    await pass(time, 100);
    const closing = members.map(({ sessions }) => sessions.close());
    await settled(time, Promise.all(closing), "close");
  });
  return [...received.values()];
}

/** Replaces a random part of a packet. */
function replace(packet: Json, place: number, value: unknown): void {
  const places: [holder: Json, key: string][] = [];
  const look = (holder: Json) => {
    for (const [key, part] of Object.entries(holder)) {
      places.push([holder, key]);
      if (typeof part === "object" && part !== null) look(part as Json);
    }
  };
  look(packet);
  const [holder, key] = places[place % places.length]!;
  holder[key] = value;
}

/** Publishes a message, and expects that the nodes still work. */
async function holds(texts: readonly string[]): Promise<void> {
  await withFakeTime(async (time) => {
    const network = new LossyNetwork();
    const members = ["n0", "n1"].map((name) => new Member(network, name));
    const [a, b] = members.map(({ sessions }) => sessions);
    await settled(time, Promise.all([a!.ready, b!.ready]), "ready");
    await settled(time, members[0]!.create("a").created, "create");
    const peer = network.bus();
    await peer.start(PEER, () => {});
    for (const text of texts) {
      void peer.publish(text, undefined);
      await pass(time, 5);
    }
    void peer.close();
    await pass(time, 2 * LEASE_MS + 100);
    for (const { sessions } of members) {
      assertEquals(sessions.nodes().map(({ name }) => name).sort(), [
        "n0",
        "n1",
      ]);
    }
    const { client, created } = members[1]!.create("new");
    await settled(time, created, "create");
    assertEquals(await settled(time, a!.streams.has("new"), "has"), true);
    void a!.streams.send(["new"], "data: hello\n\n");
    await settled(time, b!.info.setLogLevel("new", "info"), "set");
    await pass(time, 50);
    assert(client.text.includes("data: hello\n\n"), client.text);
    assertEquals(await a!.info.getLogLevel("new"), "info");
    const closing = members.map(({ sessions }) => sessions.close());
    await settled(time, Promise.all(closing), "close");
    await pass(time, 5);
    assert(!time.next(), "A timer still runs.");
  });
}
