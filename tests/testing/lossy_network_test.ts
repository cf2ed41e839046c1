import { InvalidArgumentError } from "@crossmcp/session-manager";
import type { MessageBus } from "@crossmcp/session-manager/cluster";
import {
  LossyNetwork,
  type LossyNetworkOptions,
} from "@crossmcp/session-manager/testing";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { usingFakeTime } from "../support/streams.ts";

const COUNT = 3_000;

describe("LossyNetwork", () => {
  it(
    "delivers messages to one node or to all others, in order, by default",
    usingFakeTime((time) => {
      const network = new LossyNetwork();
      const [a, b, c] = ["a", "b", "c"].map((name) => join(network, name));
      const other = join(network, "b", "other cluster");
      a!.bus.publish("1", undefined);
      a!.bus.publish("2", "b");
      a!.bus.publish("3", "nobody");
      a!.bus.publish("4", undefined);
      assertEquals(b!.received, [], "A message arrived during publish.");
      time.tick(1);
      assertEquals(
        [a, b, c, other].map((node) => node!.received),
        [[], ["1", "2", "4"], ["1", "4"], []],
      );
      assertEquals(network.stats(), {
        published: 4,
        characters: 4,
        delivered: 5,
        dropped: 0,
        duplicated: 0,
        cut: 0,
      });
    }),
  );

  it(
    "drops and duplicates messages at the given rates",
    usingFakeTime((time) => {
      const options = { dropRate: 0.3, duplicateRate: 0.2 };
      const { network, received } = send(options, () => time.tick(1));
      const { delivered, dropped, duplicated } = network.stats();
      const expected = { dropped: 0.3, duplicated: 0.7 * 0.2 };
      for (
        const [count, rate] of [
          [dropped, expected.dropped],
          [duplicated, expected.duplicated],
        ] as const
      ) {
        assert(Math.abs(count / COUNT - rate) < 0.03, `${count} of ${COUNT}`);
      }
      assertEquals(delivered, COUNT - dropped + duplicated);
      assertEquals(received.length, delivered);
      assertEquals(new Set(received).size, COUNT - dropped);
    }),
  );

  it(
    "drops a broadcast independently for each recipient",
    usingFakeTime((time) => {
      const network = new LossyNetwork({ dropRate: 0.5 });
      const [a, b, c] = ["a", "b", "c"].map((name) => join(network, name));
      for (let count = 0; count < 100; count++) {
        a!.bus.publish(`${count}`, undefined);
      }
      time.tick(1);
      assert(b!.received.join() !== c!.received.join());
    }),
  );

  it(
    "repeats the same losses for the same seed, and others for another seed",
    usingFakeTime((time) => {
      const receivedWith = (seed?: number) =>
        send(
          { dropRate: 0.1, duplicateRate: 0.1, delayMs: [0, 50], seed },
          () => time.tick(100),
        ).received.join();
      assertEquals(receivedWith(7), receivedWith(7));
      assertEquals(receivedWith(), receivedWith(1));
      assert(receivedWith(7) !== receivedWith(8));
    }),
  );

  it(
    "delays messages, which can then arrive in another order",
    usingFakeTime((time) => {
      const network = new LossyNetwork({ delayMs: [20, 40] });
      const [a, b] = ["a", "b"].map((name) => join(network, name));
      for (let count = 0; count < 100; count++) {
        a!.bus.publish(`${count}`, undefined);
      }
      time.tick(19);
      assertEquals(b!.received.length, 0);
      time.tick(11);
      assert(b!.received.length > 20 && b!.received.length < 80);
      time.tick(10);
      assertEquals(b!.received.length, 100);
      assert(b!.received.some((text, at) => Number(text) < at));
    }),
  );

  it(
    "applies new options to messages that are published later",
    usingFakeTime((time) => {
      const network = new LossyNetwork({ dropRate: 1, delayMs: [10, 10] });
      const [a, b] = ["a", "b"].map((name) => join(network, name));
      a!.bus.publish("lost", undefined);
      network.become({ duplicateRate: 1 });
      a!.bus.publish("twice", undefined);
      assertThrows(
        () => network.become({ dropRate: 2 }),
        InvalidArgumentError,
        '"dropRate" must be',
      );
      time.tick(1);
      network.become({});
      a!.bus.publish("once", undefined);
      time.tick(1);
      assertEquals(b!.received, ["twice", "twice", "once"]);
    }),
  );

  it(
    "drops messages between partitions until it heals",
    usingFakeTime((time) => {
      const network = new LossyNetwork({ delayMs: [10, 10] });
      const names = ["a", "b", "c", "d"];
      const nodes = names.map((name) => join(network, name));
      const [a, , c] = nodes;
      a!.bus.publish("in flight", undefined);
      network.partition([["a", "b"]]);
      a!.bus.publish("cut", undefined);
      c!.bus.publish("other side", undefined);
      time.tick(5);
      network.partition([["b"], ["d"]]);
      time.tick(10);
      assertEquals(
        nodes.map(({ received }) => received),
        [[], [], ["in flight"], []],
      );
      assertEquals(network.stats().cut, 8);
      network.heal();
      a!.bus.publish("healed", undefined);
      time.tick(10);
      assertEquals(nodes.map(({ received }) => received.at(-1)), [
        undefined,
        "healed",
        "healed",
        "healed",
      ]);
      const error = assertThrows(
        () => network.partition([["a"], ["b", "a"]]),
        InvalidArgumentError,
        '"groups" has the node "a" in two parts',
      );
      assertEquals(error.argument, "groups");
    }),
  );

  it(
    "stops a node, whose name another node can then take",
    usingFakeTime((time) => {
      const network = new LossyNetwork();
      const [a, b] = ["a", "b"].map((name) => join(network, name));
      b!.bus.publish("before stop", undefined);
      a!.bus.publish("in flight", undefined);
      network.stop("b");
      network.stop("nobody");
      b!.bus.publish("after stop", undefined);
      time.tick(1);
      assertEquals([a!.received, b!.received], [["before stop"], []]);
      const successor = join(network, "b");
      a!.bus.publish("hello", "b");
      time.tick(1);
      assertEquals([successor.received, b!.received], [["hello"], []]);
      void successor.bus.close();
      void successor.bus.close();
      a!.bus.publish("after close", undefined);
      time.tick(1);
      assertEquals(successor.received, ["hello"]);
    }),
  );

  it(
    "calls onDelivery for each message that arrives",
    usingFakeTime((time) => {
      const deliveries: unknown[] = [];
      const network = new LossyNetwork({
        onDelivery: (delivery) => void deliveries.push(delivery),
      });
      const [a] = ["a", "b"].map((name) => join(network, name));
      a!.bus.publish("text", undefined);
      time.tick(1);
      assertEquals(deliveries, [{ from: "a", to: "b", text: "text" }]);
    }),
  );

  it("rejects invalid options, and names them in the error", () => {
    for (
      const [options, argument] of [
        [7, "options"],
        [{ seed: 0.5 }, "seed"],
        [{ dropRate: 1.1 }, "dropRate"],
        [{ dropRate: NaN }, "dropRate"],
        [{ duplicateRate: -1 }, "duplicateRate"],
        [{ delayMs: 5 }, "delayMs"],
        [{ delayMs: [5] }, "delayMs"],
        [{ delayMs: [5, 4] }, "delayMs"],
        [{ delayMs: [0, Infinity] }, "delayMs"],
      ] as const
    ) {
      const error = assertThrows(
        () => new LossyNetwork(options as never),
        InvalidArgumentError,
        `"${argument}" must be`,
      );
      assertEquals(error.argument, argument);
    }
    const { bus } = join(new LossyNetwork(), "a");
    const error = assertThrows(
      () => bus.publish(7 as never, undefined),
      InvalidArgumentError,
    );
    assertEquals(error.argument, "text");
  });
});

/** Starts a bus; returns it with the messages that it receives. */
function join(network: LossyNetwork, name: string, cluster?: string) {
  const bus: MessageBus = network.bus(cluster);
  const received: string[] = [];
  void bus.start(name, (text) => void received.push(text));
  return { bus, received };
}

/** Publishes many messages from one node to another, all at once. */
function send(options: LossyNetworkOptions, wait: () => void) {
  const network = new LossyNetwork(options);
  const { bus } = join(network, "here");
  const { received } = join(network, "there");
  for (let count = 0; count < COUNT; count++) {
    void bus.publish(`${count}`, undefined);
  }
  wait();
  return { network, received };
}
