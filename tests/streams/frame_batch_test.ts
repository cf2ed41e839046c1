import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
import {
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
import { describe, it } from "node:test";
import { FrameBatch, FrameBatcher } from "../../src/streams/frame_batch.ts";
import { encode, endOfTurn, openStream } from "../support/streams.ts";

const [A, B, C] = ["[a]", "[b\u{1f600}]", "[c]"].map(encode) as [
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
];

describe("FrameBatch", () => {
  it("concatenates frames in order, without copying a single one", () => {
    const a = new FrameBatch(undefined, A);
    const abc = a.append(B).append(C);
    assertStrictEquals(a.concat(), A);
    assertEquals(abc.length, A.length + B.length + C.length);
    assertEquals(new TextDecoder().decode(abc.concat()), "[a][b\u{1f600}][c]");
    assertStrictEquals(abc.concat(), abc.concat());
    assertStrictEquals(a.concat(), A);
  });

  it("is shared only by streams that got the same frames", () => {
    const batcher = new FrameBatcher();
    const a = batcher.startWith(A);
    assertStrictEquals(batcher.startWith(A), a);
    const ab = a.append(B);
    assertStrictEquals(a.append(B), ab);
    const abc = ab.append(C);
    assertStrictEquals(a.append(B).append(C), abc);
    const ac = a.append(C);
    assertNotStrictEquals(ac, abc);
    assertEquals(ac.concat(), encode("[a][c]"));
    assertEquals(abc.concat(), encode("[a][b\u{1f600}][c]"));
    const b = batcher.startWith(B);
    assertNotStrictEquals(b, ab);
    assertEquals(b.concat(), B);
    // Equal bytes are not the same frame: the event IDs may differ.
    assertNotStrictEquals(b.append(A), b.append(encode("[a]")));
  });

  it("releases the frames of a turn", () => {
    const batcher = new FrameBatcher();
    const a = batcher.startWith(A);
    a.append(B);
    batcher.clear();
    assertNotStrictEquals(batcher.startWith(A), a);
  });

  it("gives streams the same chunk if they got the same frames in a turn", async () => {
    const manager = new InMemoryStreamSessionManager();
    const streams = ["a", "b", "c", "d"].map((id) => ({ id, ...openStream() }));
    for (const { id, controller } of streams) manager.create(id, controller);
    manager.send(undefined, "1");
    manager.send(undefined, "2");
    manager.send(["d"], "only d");
    manager.send(undefined, "3");
    await endOfTurn();
    const chunks = await Promise.all(streams.map(async ({ reader }) => {
      await reader.read();
      return (await reader.read()).value!;
    }));
    const [a, b, c, d] = chunks;
    assertEquals(a, encode("23"));
    assertStrictEquals(b, a);
    assertStrictEquals(c, a);
    assertEquals(d, encode("2only d3"));
    manager.send(undefined, "next turn");
    for (const { read } of streams) assertEquals(await read(), "next turn");
    await manager.close();
  });

  it("contains only frames sent after a stream was attached", async () => {
    const manager = new InMemoryStreamSessionManager();
    const [early, late] = [openStream(), openStream()];
    manager.create("early", early.controller);
    manager.send(undefined, "1");
    manager.send(undefined, "2");
    manager.create("late", late.controller);
    manager.send(undefined, "3");
    manager.send(undefined, "4");
    manager.delete("early");
    manager.delete("late");
    assertEquals(await early.readToEnd(), { text: "1234", end: "closed" });
    assertEquals(await late.readToEnd(), { text: "34", end: "closed" });
  });
});
