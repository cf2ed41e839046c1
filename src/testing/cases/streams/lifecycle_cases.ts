import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { assertThrowsOrRejects } from "../../support/assertions.ts";
import type { StreamCase } from "../../suites/behaviours.ts";
import { TestStream } from "../../support/test_stream.ts";

/** How sessions are created, replaced and deleted. */
export const streamLifecycleCases: readonly StreamCase[] = [
  {
    behaviour: "S1",
    name: "has() is true from create() to delete()",
    run: async ({ create, within }) => {
      const manager = await create();
      const ids = [
        "a",
        "__proto__",
        "constructor",
        "toString",
        "x".repeat(256),
      ];
      for (const id of ids) strictEqual(await manager.has(id), false, id);
      for (const id of ids) {
        await within(manager.create(id, new TestStream().controller), "create");
        strictEqual(await manager.has(id), true, id);
      }
      for (const id of ids) {
        await within(manager.delete(id), "delete");
        strictEqual(await manager.has(id), false, id);
      }
    },
  },
  {
    behaviour: "S2",
    name: "delete() closes the stream, and repeating it changes nothing",
    run: async ({ create, within }) => {
      const manager = await create();
      const stream = new TestStream();
      const other = new TestStream();
      await manager.create("a", stream.controller);
      await manager.create("b", other.controller);
      await manager.send(["a"], "last words");
      await manager.delete("a");
      await manager.delete("a");
      await manager.delete("never there");
      deepStrictEqual(
        await within(stream.end(), "the end of a deleted stream"),
        { ended: "closed", text: "last words" },
      );
      await manager.send(undefined, "still here");
      strictEqual(
        await within(other.readAs("still here"), "the other session's text"),
        "still here",
      );
    },
  },
  {
    behaviour: "S3",
    name: "a newer stream closes the older one and gets what follows",
    run: async ({ create, within }) => {
      const manager = await create();
      const older = new TestStream();
      const newer = new TestStream();
      await manager.create("a", older.controller);
      await manager.send(["a"], "one");
      strictEqual(await within(older.readAs("one"), "the first text"), "one");
      await manager.create("a", newer.controller);
      deepStrictEqual(
        await within(older.end(), "the end of the older stream"),
        {
          ended: "closed",
          text: "",
        },
      );
      strictEqual(await manager.has("a"), true);
      await manager.send(["a"], "two");
      await manager.send(undefined, "three");
      strictEqual(
        await within(newer.readAs("twothree"), "the newer stream's text"),
        "twothree",
      );
    },
  },
  {
    behaviour: "S3",
    name: "attaching the same controller again changes nothing",
    run: async ({ create, within }) => {
      const manager = await create();
      const stream = new TestStream();
      await manager.create("a", stream.controller);
      await manager.create("a", stream.controller);
      await manager.send(undefined, "once");
      await manager.delete("a");
      deepStrictEqual(await within(stream.end(), "the end"), {
        ended: "closed",
        text: "once",
      });
    },
  },
  {
    behaviour: "S4",
    name: "a late cancel of the older stream does not affect the newer one",
    run: async ({ create, within }) => {
      const manager = await create();
      // As a transport does: cancelling deletes the session by its ID.
      const deletes: unknown[] = [];
      const open = () =>
        new TestStream({ cancel: () => deletes.push(manager.delete("a")) });
      const cancel = async (stream: TestStream) => {
        await stream.cancel();
        await within(Promise.all(deletes), "what the cancel deleted");
      };
      const read = open();
      const behind = open();
      const newest = open();
      await manager.create("a", read.controller);
      await manager.create("a", behind.controller);
      await cancel(read);
      strictEqual(await manager.has("a"), true, "the newer one was removed");
      await manager.send(["a"], "nobody reads this");
      await manager.create("a", newest.controller);
      await cancel(behind);
      strictEqual(await manager.has("a"), true, "the newest was removed");
      await manager.send(["a"], "for the newest");
      strictEqual(
        await within(newest.readAs("for the newest"), "the newest's text"),
        "for the newest",
      );
      await cancel(newest);
      strictEqual(await manager.has("a"), false, "its own cancel did nothing");
    },
  },
  {
    behaviour: "S12",
    name: "no more than maxSessions are attached, also by concurrent creates",
    run: async ({ create, within }) => {
      const manager = await create({ maxSessions: 3 });
      const streams = Array.from({ length: 6 }, () => new TestStream());
      const outcomes = await within(
        Promise.allSettled(streams.map(async ({ controller }, index) => {
          await manager.create(`s${index}`, controller);
        })),
        "six creates",
      );
      const attached = outcomes.flatMap(({ status }, index) =>
        status === "fulfilled" ? [index] : []
      );
      strictEqual(attached.length, 3, `${attached.length} of 6 were attached`);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") {
          strictEqual(outcome.reason.name, "SessionLimitError");
        }
      }
      // Replacing a stream needs no slot, and deleting a session frees one.
      const [first] = attached;
      await manager.create(`s${first}`, new TestStream().controller);
      await assertThrowsOrRejects(
        () => manager.create("one-more", new TestStream().controller),
        "SessionLimitError",
        "A session beyond maxSessions",
      );
      await manager.delete(`s${first}`);
      await manager.create("one-more", new TestStream().controller);
      strictEqual(await manager.has("one-more"), true);
    },
  },
  {
    behaviour: "S13",
    name: "close ends every stream, once, and later creates are refused",
    run: async ({ create, within }) => {
      const manager = await create();
      ok(manager.close, "The manager has no close().");
      const read = new TestStream();
      const stalled = new TestStream();
      const cancelled = new TestStream();
      await manager.create("a", read.controller);
      await manager.create("b", stalled.controller);
      await manager.create("c", cancelled.controller);
      await cancelled.cancel();
      await manager.send(undefined, "before");
      strictEqual(await within(read.readAs("before"), "the text"), "before");
      await within(
        Promise.all([manager.close(), manager.close()]),
        "closing twice at once",
      );
      await within(manager.close(), "closing again");
      const ends = [read.end(), stalled.end()];
      for (const end of await within(Promise.all(ends), "the ends")) {
        strictEqual(end.ended, "closed");
      }
      await assertThrowsOrRejects(
        () => manager.create("d", new TestStream().controller),
        "ClosedError",
        "A create after close",
      );
      strictEqual(await manager.has("a"), false);
      strictEqual(await manager.has("d"), false);
      await manager.send(undefined, "nobody is left");
      await manager.delete("a");
    },
  },
];
