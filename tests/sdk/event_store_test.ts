import { InMemorySessions, type Sessions } from "@crossmcp/session-manager";
import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import {
  createEventStore,
  type SdkEventStore,
} from "@crossmcp/session-manager/sdk";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import {
  assertReplays,
  fill,
  note,
  range,
  replay,
  STANDALONE,
} from "./support/stores.ts";

interface Backend {
  readonly name: string;
  readonly start: (
    replay?: { maxEvents?: number; maxBytes?: number; maxAgeMs?: number },
  ) => Sessions & AsyncDisposable;
}

const BACKENDS: readonly Backend[] = [
  {
    name: "InMemorySessions",
    start: (replay = {}) => new InMemorySessions({ streams: { replay } }),
  },
  {
    name: "ClusterSessions",
    start: (replay = {}) =>
      new ClusterSessions(new LossyNetwork().bus(), { streams: { replay } }),
  },
];

/** Asserts that an event is unknown: its client must not miss events silently. */
async function assertUnknown(store: SdkEventStore, id: string): Promise<void> {
  const error = await assertRejects(() => replay(store, id));
  assertEquals((error as { argument?: string }).argument, "lastEventId");
}

for (const { name, start } of BACKENDS) {
  describe(`createEventStore, with ${name}`, () => {
    it("K5 replays the events of one stream and session, in order", async () => {
      await using sessions = start();
      const [one, two] = [
        createEventStore(sessions, "one"),
        createEventStore(sessions, "two"),
      ];
      const ids: string[] = [];
      // Far more than one a millisecond.
      for (const number of range(1, 200)) {
        const [id] = await fill(one, STANDALONE, [number]);
        ids.push(id!);
        await fill(two, STANDALONE, [1_000 + number]);
        await fill(one, "post_1 ä\n", [2_000 + number]);
      }
      assertEquals(new Set(ids).size, 200);
      for (const at of [0, 99, 199]) {
        const rest = range(at + 2, 200);
        await assertReplays(one, ids[at]!, STANDALONE, rest);
      }
      const [post] = await fill(one, "post_1 ä\n", [0]);
      await fill(one, "post_1 ä\n", [1, 2]);
      await assertReplays(one, post!, "post_1 ä\n", [1, 2]);
      assert(ids.every((id) => /^[\x21-\x7e]+$/.test(id)), "Not for a header.");
    });

    it("K5 replayed events keep their IDs", async () => {
      await using sessions = start();
      const store = createEventStore(sessions, "s");
      const [first, ...rest] = await fill(store, STANDALONE, range(1, 5));
      assertEquals((await replay(store, first!)).ids, rest);
    });

    it("K5 a store of the same session continues where another was", async () => {
      await using sessions = start();
      const [first] = await fill(
        createEventStore(sessions, "s"),
        STANDALONE,
        [1, 2],
      );
      const store = createEventStore(sessions, "s");
      await fill(store, STANDALONE, [3]);
      await assertReplays(store, first!, STANDALONE, [2, 3]);
    });

    it("K5 refuses IDs of other sessions, and all others", async () => {
      await using sessions = start();
      await using elsewhere = start();
      const store = createEventStore(sessions, "s");
      const [id] = await fill(store, STANDALONE, [1, 2]);
      const [foreign] = await fill(
        createEventStore(sessions, "other"),
        STANDALONE,
        [1, 2],
      );
      const [old] = await fill(
        createEventStore(elsewhere, "s"),
        STANDALONE,
        [1, 2],
      );
      for (const wrong of ["", "1", `${id}x`, `x${id}`, foreign!, old!]) {
        await assertUnknown(store, wrong);
      }
    });

    it("K5 is bounded, and never leaves a gap", async () => {
      const limits = [{ maxEvents: 10 }, { maxBytes: 1_500 }];
      for (const limit of limits) {
        await using sessions = start(limit);
        const store = createEventStore(sessions, "s");
        const ids = await fill(store, STANDALONE, range(1, 100));
        await assertUnknown(store, ids[0]!);
        await assertUnknown(store, ids[80]!);
        await assertReplays(store, ids[96]!, STANDALONE, [98, 99, 100]);
      }
    });

    it("K5 a stream that missed nothing can be resumed, however old its last event is", async () => {
      await using sessions = start({ maxEvents: 10 });
      const [one, two] = [
        createEventStore(sessions, "one"),
        createEventStore(sessions, "two"),
      ];
      const [id] = await fill(one, STANDALONE, [1]);
      await fill(two, STANDALONE, range(1, 20));
      await assertReplays(one, id!, STANDALONE, []);
      await fill(one, STANDALONE, [2]);
      await assertReplays(one, id!, STANDALONE, [2]);
    });

    it("K5 priming events are not replayed: they are no messages", async () => {
      await using sessions = start();
      const store = createEventStore(sessions, "s");
      const first = await store.storeEvent("post", {});
      await fill(store, "post", [1]);
      await store.storeEvent("post", {});
      await fill(store, "post", [2]);
      await assertReplays(store, first, "post", [1, 2]);
    });

    it("K5 an event that is stored during a replay is not written before the transport knows the connection", async () => {
      await using sessions = start();
      const store = createEventStore(sessions, "s");
      const [first] = await fill(store, STANDALONE, [1, 2]);
      const steps: string[] = [];
      let storing: Promise<unknown> | undefined;
      const streamId = await store.replayEventsAfter(first!, {
        send: async () => {
          storing = store.storeEvent(STANDALONE, note(3))
            .then(() => steps.push("stored"));
          await new Promise((resolve) => setTimeout(resolve));
        },
      });
      // The transport does some more work before it knows the connection.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      steps.push(streamId);
      await storing;
      assertEquals(steps, [STANDALONE, "stored"]);
    });

    it("K5 a replay begins when the transport has written what was stored before", async () => {
      await using sessions = start();
      const store = createEventStore(sessions, "s");
      const [first] = await fill(store, STANDALONE, [1]);
      const steps: string[] = [];
      const storing = store.storeEvent(STANDALONE, note(2))
        .then(() => steps.push("stored"));
      await store.replayEventsAfter(first!, {
        send: () => {
          steps.push("replayed");
          return Promise.resolve();
        },
      });
      await storing;
      assertEquals(steps, ["stored", "replayed"]);
    });

    it("a replay or an event that fails holds nothing up", async () => {
      await using sessions = start();
      const store = createEventStore(sessions, "s");
      const [first] = await fill(store, STANDALONE, [1, 2]);
      const failure = new Error("The connection is gone.");
      const send = () => Promise.reject(failure);
      const error = await assertRejects(() =>
        store.replayEventsAfter(first!, { send })
      );
      assertEquals(error, failure);
      await assertRejects(() => store.storeEvent(STANDALONE, { wrong: 1n }));
      await fill(store, STANDALONE, [3]);
      await assertReplays(store, first!, STANDALONE, [2, 3]);
    });
  });
}

describe("createEventStore", () => {
  it("refuses sessions without replay, invalid IDs, and other objects", () => {
    const sessions = new InMemorySessions({ streams: { replay: {} } });
    const argumentOf = (create: () => unknown) =>
      (assertThrows(create) as { argument?: string }).argument;
    assertEquals(
      [
        argumentOf(() => createEventStore(new InMemorySessions(), "s")),
        argumentOf(() => createEventStore({} as InMemorySessions, "s")),
        argumentOf(() => createEventStore(sessions, "")),
        argumentOf(() => createEventStore(sessions, undefined as never)),
      ],
      ["sessions", "sessions", "id", "id"],
    );
  });
});
