import {
  ClusterSessions,
  type MessageBus,
} from "@crossmcp/session-manager/cluster";
import { InvalidArgumentError } from "@crossmcp/session-manager";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { describe, it } from "node:test";
import {
  cut,
  isFragment,
  readFragment,
} from "../../src/cluster/messaging/fragments/fragment.ts";
import {
  MAX_ASSEMBLED_LENGTH,
  PacketAssembler,
} from "../../src/cluster/messaging/fragments/packet_assembler.ts";
import {
  utf8End,
  utf8Length,
} from "../../src/cluster/messaging/fragments/utf8.ts";
import type { Fragment } from "../../src/cluster/messaging/protocol.ts";
import { openStream } from "../support/streams.ts";
import { until } from "../e2e/support/until.ts";

const FROM = { from: "node \u{1f600}", incarnation: 7 };
const PIECES = ["a", "\u00e9", "\u20ac", "\u{1f600}", '"', "\n", "+"];
const encoder = new TextEncoder();

/** Texts of characters of every length in UTF-8. */
const texts = fc.array(fc.constantFrom(...PIECES), {
  minLength: 1,
  maxLength: 3_000,
}).map((pieces) => pieces.join("").repeat(8));

describe("the length of a text in UTF-8", () => {
  it("C12 is that of its bytes, and the longest part that fits is exact", () => {
    fc.assert(fc.property(texts, fc.nat({ max: 40_000 }), (text, maxBytes) => {
      assertEquals(utf8Length(text), encoder.encode(text).length);
      const end = utf8End(text, 0, maxBytes);
      const part = text.slice(0, end);
      const bytes = encoder.encode(part).length;
      assert(bytes <= maxBytes);
      assertEquals(new TextDecoder().decode(encoder.encode(part)), part);
      const [next] = text.slice(end);
      if (next === undefined) return;
      assert(bytes + encoder.encode(next).length > maxBytes);
    }));
  });

  it("C12 is found in steps that do not divide a character", () => {
    for (const shift of [0, 1, 2, 3]) {
      const text = "a".repeat(shift) + "\u{1f600}".repeat(20_000);
      assertEquals(utf8Length(text), shift + 80_000);
      assertEquals(utf8End(text, 0, 50_000 + shift), shift + 25_000);
    }
  });
});

describe("fragments", () => {
  it("C12 are joined in any order, with duplicates and over several attempts", () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat()), (text, order) => {
        const fragments = fragmentsOf(text, 4_096);
        const assembler = new PacketAssembler();
        // Some arrive, some twice, then all of them again.
        const first = order.map((at) => fragments[at % fragments.length]!);
        let joined: string | undefined;
        for (const fragment of [...first, ...fragments]) {
          joined ??= assembler.add("a", fragment);
        }
        assert(joined === text, "The packet was changed.");
      }),
    );
  });

  it("C12 are never longer than the limit", () => {
    fc.assert(fc.property(texts, fc.integer({ min: 4_096 }), (text, max) => {
      for (const [, bytes] of cutAll(text, max)) assert(bytes <= max);
    }));
  });

  it("C13 that are malformed are ignored", () => {
    const [[valid]] = cutAll("text", 4_096) as [[string, number]];
    assert(readFragment(valid) !== undefined);
    const change = (from: string, to: string) => valid.replace(from, to);
    for (
      const invalid of [
        "+",
        "+\n",
        "+null\ntext",
        "+{}\ntext",
        "+{\ntext",
        valid.split("\n")[0]!,
        change('"v":3', '"v":1'),
        change('"start":0', '"start":-1'),
        change('"start":0', '"start":1'),
        change('"length":4', '"length":3'),
        change('"id":1', '"id":1.5'),
        change(JSON.stringify(FROM.from), "null"),
      ]
    ) {
      assert(isFragment(invalid));
      assertEquals(readFragment(invalid), undefined, invalid);
    }
  });

  it("C16 of packets that never become complete are bounded", () => {
    const assembler = new PacketAssembler();
    const text = "x".repeat(2 ** 20);
    for (let id = 1; id <= 300; id++) {
      for (const from of ["a", "b", "c"]) {
        const fragment = { id, start: 0, length: MAX_ASSEMBLED_LENGTH, text };
        assembler.add(from, { kind: "fragment", ...fragment });
        assert(assembler.length <= MAX_ASSEMBLED_LENGTH);
      }
    }
    const tooLong = { id: 1, start: 0, length: MAX_ASSEMBLED_LENGTH + 1, text };
    const { length } = assembler;
    assembler.add("d", { kind: "fragment", ...tooLong });
    assertEquals(assembler.length, length);
    for (const from of ["a", "b", "c"]) assembler.forget(from);
    assertEquals(assembler.length, 0);
  });

  it("C16 of a sender's older packets are dropped", () => {
    const assembler = new PacketAssembler();
    const add = (id: number, start: number) =>
      assembler.add("a", {
        kind: "fragment",
        id,
        start,
        length: 4,
        text: "xx",
      });
    for (const seq of [1, 2, 3]) add(seq, 0);
    // Of packets without a sequence number, only the newest matters.
    for (const id of [-1, -2, -3]) add(id, 0);
    assertEquals(assembler.length, 8);
    assembler.dropUpTo("a", 2);
    assertEquals(assembler.length, 4);
    assertEquals(add(3, 2), "xxxx");
    assertEquals(add(-3, 2), "xxxx");
    assertEquals(assembler.length, 0);
  });

  it("C12 of another length replace those that arrived before", () => {
    const assembler = new PacketAssembler();
    const add = (start: number, length: number, text: string) =>
      assembler.add("a", { kind: "fragment", id: 1, start, length, text });
    add(0, 6, "abc");
    assertEquals(add(0, 4, "ab"), undefined);
    assertEquals(add(2, 4, "cd"), "abcd");
    // The limit of the bus changed between two attempts.
    add(0, 4, "ab");
    assertEquals(add(1, 4, "bcd"), undefined);
    assertEquals(assembler.length, 0);
  });
});

describe("ClusterSessions: a bus of short messages", () => {
  it("C12 a long frame delays a short one for another node by a few messages", async () => {
    const published: string[] = [];
    const network = new LossyNetwork({ maxLength: 4_096 });
    const nodes = ["a", "b", "c"].map((node) => {
      const bus = network.bus();
      const recording: MessageBus = {
        maxLength: 4_096,
        start: (node, receive) => bus.start(node, receive),
        publish: (text, to) => {
          if (node === "a") published.push(text);
          return bus.publish(text, to);
        },
        close: () => bus.close(),
      };
      return new ClusterSessions(recording, { cluster: { node } });
    });
    const [a, b, c] = nodes as [
      ClusterSessions,
      ClusterSessions,
      ClusterSessions,
    ];
    try {
      await Promise.all(nodes.map(({ ready }) => ready));
      const [atB, atC] = [openStream(), openStream()];
      await b.streams.create("b", atB.controller);
      await c.streams.create("c", atC.controller);
      const long = `data: ${"x".repeat(4 * 2 ** 20)}\n\n`;
      void a.streams.send(["b"], long);
      const fragments = () => published.filter(isFragment).length;
      await until(() => fragments() > 0, "the first fragment");
      const before = fragments();
      void a.streams.send(["c"], "data: short\n\n");
      assertEquals(await atC.read(), "data: short\n\n");
      const all = published.slice(
        0,
        published.findIndex((text) => text.includes("data: short")),
      );
      const earlier = all.filter(isFragment).length;
      assert(earlier - before <= 8, `${earlier - before} were sent meanwhile.`);
      assert(earlier < 1_000, "The long frame was complete before it.");
      let got = "";
      while (got.length < long.length) got += await atB.read();
      assert(got === long, "The long frame was changed.");
    } finally {
      await Promise.all(nodes.map((node) => node.close()));
    }
  });

  it("C16 a bus with an invalid limit or without a method is refused", () => {
    const bus = { start() {}, publish() {}, close() {} };
    for (const maxLength of [0, -1, 4_095, 5_000.5, NaN, Infinity, "8000"]) {
      const { argument, message } = assertThrows(
        () => new ClusterSessions({ ...bus, maxLength } as never),
        InvalidArgumentError,
      );
      assertEquals(argument, "bus.maxLength");
      assert(message.includes(`${maxLength}`), message);
    }
    for (const invalid of [undefined, null, "nats", {}, { ...bus, close: 1 }]) {
      const { argument } = assertThrows(
        () => new ClusterSessions(invalid as never),
        InvalidArgumentError,
      );
      assertEquals(argument, "bus");
    }
  });
});

/** The fragments of a packet, each with its length in bytes. */
function cutAll(text: string, maxBytes: number): [string, number][] {
  const fragments: [string, number][] = [];
  for (let start = 0; start < text.length;) {
    const { fragment, end } = cut(text, { ...FROM, id: 1, start }, maxBytes);
    fragments.push([fragment, encoder.encode(fragment).length]);
    start = end;
  }
  return fragments;
}

function fragmentsOf(text: string, maxBytes: number): Fragment[] {
  return cutAll(text, maxBytes).map(([fragment]) => {
    const read = readFragment(fragment);
    assert(read?.kind === "fragment");
    assertEquals(read.from, FROM.from);
    assertEquals(read.incarnation, FROM.incarnation);
    return read;
  });
}
