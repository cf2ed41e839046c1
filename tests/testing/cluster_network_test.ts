import { InvalidArgumentError } from "@crossmcp/session-manager";
import type { MessageBus } from "@crossmcp/session-manager/cluster";
import {
  LossyNetwork,
  type LossyNetworkOptions,
} from "@crossmcp/session-manager/testing";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { faked } from "../support/streams.ts";

const COUNT = 3_000;

describe("LossyNetwork", () => {
  it(
    "carries texts to one or to all others, in order, if it is a good one",
    faked((time) => {
      const network = new LossyNetwork();
      const [a, b, c] = ["a", "b", "c"].map((name) => join(network, name));
      const other = join(network, "b", "other cluster");
      a!.bus.publish("1", undefined);
      a!.bus.publish("2", "b");
      a!.bus.publish("3", "nobody");
      a!.bus.publish("4", undefined);
      assertEquals(b!.heard, [], "It arrives while it is published.");
      time.tick(1);
      assertEquals(
        [a, b, c, other].map((node) => node!.heard),
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
    "loses and doubles as many texts as it is told to",
    faked((time) => {
      const options = { dropRate: 0.3, duplicateRate: 0.2 };
      const { network, heard } = send(options, () => time.tick(1));
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
      assertEquals(heard.length, delivered);
      assertEquals(new Set(heard).size, COUNT - dropped);
      // Every reader has a fate of its own.
      const both = new LossyNetwork({ dropRate: 0.5 });
      const [a, b, c] = ["a", "b", "c"].map((name) => join(both, name));
      for (let count = 0; count < 100; count++) {
        a!.bus.publish(`${count}`, undefined);
      }
      time.tick(1);
      assert(b!.heard.join() !== c!.heard.join());
    }),
  );

  it(
    "does the same again for the same seed, and something else for another",
    faked((time) => {
      const heard = (seed?: number) =>
        send(
          { dropRate: 0.1, duplicateRate: 0.1, delayMs: [0, 50], seed },
          () => time.tick(100),
        ).heard.join();
      assertEquals(heard(7), heard(7));
      assertEquals(heard(), heard(1));
      assert(heard(7) !== heard(8));
    }),
  );

  it(
    "takes its time, and lets texts overtake each other",
    faked((time) => {
      const network = new LossyNetwork({ delayMs: [20, 40] });
      const [a, b] = ["a", "b"].map((name) => join(network, name));
      for (let count = 0; count < 100; count++) {
        a!.bus.publish(`${count}`, undefined);
      }
      time.tick(19);
      assertEquals(b!.heard.length, 0);
      time.tick(11);
      assert(b!.heard.length > 20 && b!.heard.length < 80);
      time.tick(10);
      assertEquals(b!.heard.length, 100);
      assert(b!.heard.some((text, at) => Number(text) < at));
    }),
  );

  it(
    "becomes better and worse",
    faked((time) => {
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
      assertEquals(b!.heard, ["twice", "twice", "once"]);
    }),
  );

  it(
    "falls apart and heals",
    faked((time) => {
      const network = new LossyNetwork({ delayMs: [10, 10] });
      const names = ["a", "b", "c", "d"];
      const nodes = names.map((name) => join(network, name));
      const [a, , c] = nodes;
      a!.bus.publish("on its way", undefined);
      network.partition([["a", "b"]]);
      a!.bus.publish("cut", undefined);
      c!.bus.publish("the rest", undefined);
      time.tick(5);
      network.partition([["b"], ["d"]]);
      time.tick(10);
      assertEquals(
        nodes.map(({ heard }) => heard),
        [[], [], ["on its way"], []],
      );
      assertEquals(network.stats().cut, 8);
      network.heal();
      a!.bus.publish("healed", undefined);
      time.tick(10);
      assertEquals(nodes.map(({ heard }) => heard.at(-1)), [
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
    "lets a node die, and another one take its name",
    faked((time) => {
      const network = new LossyNetwork();
      const [a, b] = ["a", "b"].map((name) => join(network, name));
      b!.bus.publish("last words", undefined);
      a!.bus.publish("on its way", undefined);
      network.stop("b");
      network.stop("nobody");
      b!.bus.publish("from beyond", undefined);
      time.tick(1);
      assertEquals([a!.heard, b!.heard], [["last words"], []]);
      const again = join(network, "b");
      a!.bus.publish("hello", "b");
      time.tick(1);
      assertEquals([again.heard, b!.heard], [["hello"], []]);
      void again.bus.close();
      void again.bus.close();
      a!.bus.publish("too late", undefined);
      time.tick(1);
      assertEquals(again.heard, ["hello"]);
    }),
  );

  it(
    "tells of what arrives",
    faked((time) => {
      const told: unknown[] = [];
      const network = new LossyNetwork({
        onDelivery: (delivery) => void told.push(delivery),
      });
      const [a] = ["a", "b"].map((name) => join(network, name));
      a!.bus.publish("text", undefined);
      time.tick(1);
      assertEquals(told, [{ from: "a", to: "b", text: "text" }]);
    }),
  );

  it("refuses options that are none, naming them", () => {
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

/** A bus that has started, and what it hears. */
function join(network: LossyNetwork, name: string, cluster?: string) {
  const bus: MessageBus = network.bus(cluster);
  const heard: string[] = [];
  void bus.start(name, (text) => void heard.push(text));
  return { bus, heard };
}

/** Sends many texts from one node to another, at once. */
function send(options: LossyNetworkOptions, wait: () => void) {
  const network = new LossyNetwork(options);
  const { bus } = join(network, "here");
  const { heard } = join(network, "there");
  for (let count = 0; count < COUNT; count++) {
    void bus.publish(`${count}`, undefined);
  }
  wait();
  return { network, heard };
}
