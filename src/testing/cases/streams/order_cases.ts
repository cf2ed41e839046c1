import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { StreamCase } from "../../suites/behaviours.ts";
import { inBackground, nextTurn } from "../../support/timing.ts";
import { TestStream } from "../../support/test_stream.ts";

/** What happens after a send: nothing, up to a later turn of the event loop. */
const PAUSES: readonly (() => unknown)[] = [
  () => undefined,
  () => Promise.resolve(),
  async () => {
    for (let index = 0; index < 10; index++) await undefined;
  },
  nextTurn,
  () =>
    new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage("");
    }),
];

/** In which order a session gets its frames, and in which chunks. */
export const streamOrderCases: readonly StreamCase[] = [
  {
    behaviour: "S7",
    name: "a session gets its frames in the order of the calls",
    run: async ({ create, within }) => {
      const manager = await create();
      const stream = new TestStream();
      await manager.create("a", stream.controller);
      await manager.create("b", new TestStream().controller);
      let expected = "";
      const unawaited: unknown[] = [];
      for (let index = 0; index < 300; index++) {
        expected += `${index},`;
        const sent = inBackground(
          manager.send(index % 3 === 0 ? undefined : ["a"], `${index},`),
        );
        if (index % 5 === 0) await sent;
        else unawaited.push(sent);
        // What is sent in later turns keeps its place as well.
        if (index % 100 === 99) await nextTurn();
      }
      await within(Promise.all(unawaited), "the sends");
      strictEqual(await within(stream.readAs(expected), "the texts"), expected);
    },
  },
  {
    behaviour: "S7",
    name: "the bytes are the same, whatever happens between two sends",
    run: async ({ create, within }) => {
      const manager = await create();
      // One reader waits for every byte, one reads after each turn, one at the
      // end.
      const eager = new TestStream();
      const steady = new TestStream();
      const late = new TestStream();
      const ids = ["eager", "steady", "late"];
      for (const [index, stream] of [eager, steady, late].entries()) {
        await manager.create(ids[index]!, stream.controller);
      }
      const texts = Array.from({ length: 200 }, (_, index) =>
        // Of all sizes, some of them empty.
        index % 7 === 0 ? "" : `${index},`.repeat(index % 13));
      const expected = texts.join("");
      const reading = inBackground(eager.readAs(expected));
      let unread = "";
      let found = "";
      const unawaited: unknown[] = [];
      for (const [index, text] of texts.entries()) {
        const sessions = [undefined, ids, [...ids].reverse()][index % 3];
        const sent = inBackground(manager.send(sessions, text));
        if (index % 3 === 0) await sent;
        else unawaited.push(sent);
        unread += text;
        await PAUSES[index % PAUSES.length]!();
        if (index % 10 === 9) {
          found += await within(steady.readAs(unread), "what was sent so far");
          unread = "";
        }
      }
      await within(Promise.all(unawaited), "the sends");
      strictEqual(await within(reading, "all, as it came"), expected);
      strictEqual(found, expected);
      strictEqual(await within(late.readAs(expected), "all"), expected);
    },
  },
  {
    behaviour: "S7",
    name: "each session gets its own frames of a turn, and no others",
    run: async ({ create, within }) => {
      const manager = await create();
      const ids = Array.from({ length: 8 }, (_, index) => `s${index}`);
      const streams = ids.map(() => new TestStream());
      const expected = ids.map(() => "");
      for (const [index, id] of ids.entries()) {
        await manager.create(id, streams[index]!.controller);
      }
      // Every subset of the eight, and everyone now and then, all in one turn.
      const sent: unknown[] = [];
      for (let choice = 0; choice < 256; choice++) {
        const text = `${choice},`;
        const isForAll = choice % 50 === 0;
        const isFor = (index: number) =>
          isForAll || (choice >> index) % 2 === 1;
        const chosen = ids.filter((_, index) => isFor(index));
        sent.push(
          inBackground(manager.send(isForAll ? undefined : chosen, text)),
        );
        for (const index of ids.keys()) {
          if (isFor(index)) expected[index] += text;
        }
      }
      await within(Promise.all(sent), "the sends");
      for (const [index, stream] of streams.entries()) {
        strictEqual(
          await within(stream.readAs(expected[index]!), ids[index]!),
          expected[index],
        );
      }
    },
  },
  {
    behaviour: "S7",
    name: "what was sent just before the end is not lost",
    run: async ({ create, within }) => {
      const manager = await create();
      const stream = new TestStream();
      await manager.create("a", stream.controller);
      const sent = ["one ", "two ", "three"].map((text) =>
        inBackground(manager.send(undefined, text))
      );
      const deleted = inBackground(manager.delete("a"));
      await within(Promise.all([...sent, deleted]), "the calls");
      deepStrictEqual(await within(stream.end(), "the end"), {
        ended: "closed",
        text: "one two three",
      });
    },
  },
];
