import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
import {
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
import { describe, it } from "node:test";
import { FrameBatch, FrameBatcher } from "../../src/streams/frame_batch.ts";
import { bytesOf, endOfTurn, open } from "../support/streams.ts";

const [A, B, C] = ["[a]", "[b\u{1f600}]", "[c]"].map(bytesOf) as [
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
  Uint8Array<ArrayBuffer>,
];

describe("Frames", () => {
  it("joins texts in their order, a single one as it is", () => {
    const a = new FrameBatch(undefined, A);
    const abc = a.append(B).append(C);
    assertStrictEquals(a.concat(), A);
    assertEquals(abc.length, A.length + B.length + C.length);
    assertEquals(new TextDecoder().decode(abc.concat()), "[a][b\u{1f600}][c]");
    assertStrictEquals(abc.concat(), abc.concat());
    assertStrictEquals(a.concat(), A);
  });

  it("is the same object for the same texts, and only for those", () => {
    const shared = new FrameBatcher();
    const a = shared.startWith(A);
    assertStrictEquals(shared.startWith(A), a);
    const ab = a.append(B);
    assertStrictEquals(a.append(B), ab);
    const abc = ab.append(C);
    assertStrictEquals(a.append(B).append(C), abc);
    const ac = a.append(C);
    assertNotStrictEquals(ac, abc);
    assertEquals(ac.concat(), bytesOf("[a][c]"));
    assertEquals(abc.concat(), bytesOf("[a][b\u{1f600}][c]"));
    const b = shared.startWith(B);
    assertNotStrictEquals(b, ab);
    assertEquals(b.concat(), B);
    // The same characters are not the same text: it may have another id.
    assertNotStrictEquals(b.append(A), b.append(bytesOf("[a]")));
  });

  it("lets go of a turn's texts", () => {
    const shared = new FrameBatcher();
    const a = shared.startWith(A);
    a.append(B);
    shared.clear();
    assertNotStrictEquals(shared.startWith(A), a);
  });

  it("makes one chunk for all streams that got the same in a turn", async () => {
    const manager = new InMemoryStreamSessionManager();
    const streams = ["a", "b", "c", "d"].map((id) => ({ id, ...open() }));
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
    assertEquals(a, bytesOf("23"));
    assertStrictEquals(b, a);
    assertStrictEquals(c, a);
    assertEquals(d, bytesOf("2only d3"));
    manager.send(undefined, "next turn");
    for (const { read } of streams) assertEquals(await read(), "next turn");
    await manager.close();
  });

  it("keeps apart what streams got that joined in the midst", async () => {
    const manager = new InMemoryStreamSessionManager();
    const [early, late] = [open(), open()];
    manager.create("early", early.controller);
    manager.send(undefined, "1");
    manager.send(undefined, "2");
    manager.create("late", late.controller);
    manager.send(undefined, "3");
    manager.send(undefined, "4");
    manager.delete("early");
    manager.delete("late");
    assertEquals(await early.rest(), { text: "1234", end: "closed" });
    assertEquals(await late.rest(), { text: "34", end: "closed" });
  });
});
