import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { StreamCase } from "../../suites/behaviours.ts";
import { TestStream } from "../../support/test_stream.ts";

/** Who receives what, and in which form. */
export const streamDeliveryCases: readonly StreamCase[] = [
  {
    behaviour: "S5",
    name: "a frame reaches exactly its recipients, once",
    run: async ({ create, within }) => {
      const manager = await create();
      const streams = {
        a: new TestStream(),
        b: new TestStream(),
        c: new TestStream(),
      };
      for (const [id, { controller }] of Object.entries(streams)) {
        await manager.create(id, controller);
      }
      await manager.send(["a"], "[a]");
      await manager.send(undefined, "[all]");
      await manager.send([], "[nobody]");
      await manager.send(["b", "gone", "c", "b", "b"], "[b, c]");
      await manager.send(["gone", "__proto__"], "[unknown]");
      for (const id of Object.keys(streams)) await manager.delete(id);
      const texts = await within(
        Promise.all(
          Object.values(streams).map(async (stream) =>
            (await stream.end()).text
          ),
        ),
        "what the three got",
      );
      deepStrictEqual(texts, ["[a][all]", "[all][b, c]", "[all][b, c]"]);
    },
  },
  {
    behaviour: "S6",
    name: "a broken stream is removed and does not affect the others",
    run: async ({ create, within }) => {
      const manager = await create();
      const first = new TestStream();
      const last = new TestStream();
      const broken = {
        closed: new TestStream(),
        errored: new TestStream(),
        cancelled: new TestStream(),
        throwing: new TestStream({
          strategy: {
            highWaterMark: 1,
            size: () => {
              throw new Error("This stream cannot tell sizes.");
            },
          },
        }),
      };
      await manager.create("first", first.controller);
      for (const [id, { controller }] of Object.entries(broken)) {
        await manager.create(id, controller);
      }
      await manager.create("last", last.controller);
      broken.closed.controller.close();
      broken.errored.controller.error(new Error("The connection broke."));
      await broken.cancelled.cancel();

      await within(manager.send(undefined, "[all]"), "send to everyone");
      await within(
        manager.send([...Object.keys(broken), "last"], "[named]"),
        "send to the broken ones",
      );
      strictEqual(await within(first.readAs("[all]"), "first"), "[all]");
      strictEqual(
        await within(last.readAs("[all][named]"), "last"),
        "[all][named]",
      );
      for (const id of Object.keys(broken)) {
        strictEqual(await manager.has(id), false, `${id} is still attached`);
      }
      strictEqual(await manager.has("first"), true);
    },
  },
  {
    behaviour: "S8",
    name: "what is read is exactly the UTF-8 of what was sent",
    run: async ({ create, within }) => {
      const manager = await create();
      const stream = new TestStream();
      await manager.create("a", stream.controller);
      const texts = [
        "",
        "plain\r\n\n",
        "caf\u00e9 \u20ac \u{1F600}",
        "lone \ud83d and \ude00 surrogates",
        "\ufeffwith a byte order mark\0",
        "1 MiB \u{1F680}".repeat(Math.ceil(2 ** 20 / 10)),
        "",
        "end",
      ];
      for (const text of texts) await manager.send(["a"], text);
      for (const text of texts) {
        const expected = new TextEncoder().encode(text);
        const found = await within(
          stream.read(expected.length),
          `reading ${expected.length} bytes`,
        );
        // A comparison that explains a difference of megabytes would be slow.
        ok(
          found.length === expected.length &&
            found.every((byte, index) => byte === expected[index]),
          `Something else was read for ${JSON.stringify(text.slice(0, 40))}`,
        );
      }
    },
  },
  {
    behaviour: "S9",
    name: "streams of every queuing strategy get everything",
    run: async ({ create, within }) => {
      const manager = await create();
      const strategies: QueuingStrategy<Uint8Array>[] = [
        new CountQueuingStrategy({ highWaterMark: 0 }),
        new CountQueuingStrategy({ highWaterMark: 1 }),
        new CountQueuingStrategy({ highWaterMark: 100 }),
        new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
        new ByteLengthQueuingStrategy({ highWaterMark: 16 }),
        new ByteLengthQueuingStrategy({ highWaterMark: 2 ** 20 }),
        {},
      ];
      const streams = strategies.map((strategy) =>
        new TestStream({ strategy })
      );
      for (const [index, { controller }] of streams.entries()) {
        await manager.create(`s${index}`, controller);
      }
      const text = "A text of more than sixteen bytes. ".repeat(5);
      for (let count = 0; count < 5; count++) {
        await manager.send(undefined, text);
      }
      for (const [index, stream] of streams.entries()) {
        strictEqual(
          await within(stream.readAs(text.repeat(5)), `strategy ${index}`),
          text.repeat(5),
        );
      }
    },
  },
  {
    behaviour: "S9",
    name: "a byte stream works or is refused, and does not affect the others",
    run: async ({ create, within }) => {
      const manager = await create();
      const bytes = new TestStream({ bytes: true });
      const others = [new TestStream(), new TestStream()];
      await manager.create("before", others[0]!.controller);
      let refusal: unknown;
      try {
        await manager.create("bytes", bytes.controller);
      } catch (error) {
        refusal = error;
      }
      await manager.create("after", others[1]!.controller);
      await manager.send(undefined, "shared ");
      await manager.send(undefined, "");
      await manager.send(["bytes", "before", "after"], "text");
      for (const stream of others) {
        strictEqual(
          await within(stream.readAs("shared text"), "a stream beside"),
          "shared text",
        );
      }
      if (refusal !== undefined) {
        ok(
          refusal instanceof Error && refusal.message !== "",
          "No clear error",
        );
        return;
      }
      strictEqual(
        await within(bytes.readAs("shared text"), "the byte stream"),
        "shared text",
      );
      await manager.delete("bytes");
      deepStrictEqual(await within(bytes.end(), "the byte stream's end"), {
        ended: "closed",
        text: "",
      });
    },
  },
];
