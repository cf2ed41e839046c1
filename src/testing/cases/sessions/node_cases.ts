import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { assertErrorResponse } from "../../support/assertions.ts";
import { inBackground, pollUntil } from "../../support/timing.ts";
import { frame, TestClient } from "../../support/test_client.ts";

/** Sessions that more than one node answers for. */
export const sessionsNodeCases: readonly SessionsCase[] = [
  {
    behaviour: "H7",
    name: "a session that one node began is valid on every node",
    run: async ({ create, within }) => {
      const here = await create();
      const there = await create({ beside: here });
      const principal = "alice";
      const client = await TestClient.begin(here, { principal });
      const { id } = client;
      const moved = new TestClient(there, { id, principal });
      strictEqual(await within(moved.ping(), "a POST elsewhere"), 200);
      const info = await within(there.info.getClientInfo(id), "its metadata");
      strictEqual(info?.name, "test client");
      // What is refused on one node is refused on the other.
      const thief = new TestClient(there, { id, principal: "bob" });
      await assertErrorResponse(
        404,
        await thief.request("GET"),
        "Another principal",
      );
      const unknown = new TestClient(there, { id: `${id}x`, principal });
      await assertErrorResponse(
        404,
        await unknown.request("GET"),
        "An unknown id",
      );
      const stream = await client.listen();
      strictEqual(await within(moved.end(), "a DELETE elsewhere"), 200);
      strictEqual((await within(stream.end(), "the end")).ended, "closed");
      await pollUntil(async () => await client.ping() === 404);
      await assertErrorResponse(
        404,
        await client.request("GET"),
        "A deleted session",
      );
    },
  },
  {
    behaviour: "H7",
    name: "a stream moves from node to node, and gets what any node sends",
    run: async ({ create, within }) => {
      const here = await create();
      const there = await create({ beside: here });
      const client = await TestClient.begin(here);
      const older = await client.listen();
      const moved = new TestClient(there, { id: client.id });
      const ending = inBackground(older.end());
      const newer = await within(moved.listen(), "a GET elsewhere");
      await within(ending, "the end of the older stream");
      await here.streams.send([client.id], frame("from here"));
      await there.streams.send([client.id], frame("from there"));
      await here.streams.send(undefined, frame("for all, from here"));
      await there.streams.send(undefined, frame("for all, from there"));
      const got = await within(newer.take(4), "what both sent");
      deepStrictEqual(got.map(({ data }) => data).sort(), [
        "for all, from here",
        "for all, from there",
        "from here",
        "from there",
      ]);
      await there.streams.delete(client.id);
      deepStrictEqual(await within(newer.end(), "the end"), {
        ended: "closed",
        data: [],
      });
    },
  },
  {
    behaviour: "H7",
    name: "a client that reconnects to another node misses nothing",
    requires: ["S14"],
    run: async ({ create, within }) => {
      const options = { streams: { replay: {} } };
      const here = await create(options);
      const there = await create({ ...options, beside: here });
      const client = await TestClient.begin(here);
      const stream = await client.listen();
      await here.streams.send([client.id], frame("one"));
      const [one] = await within(stream.take(), "an event");
      await stream.cancel();
      await here.streams.send([client.id], frame("two"));
      await there.streams.send(undefined, frame("three"));
      const moved = new TestClient(there, { id: client.id });
      const again = await moved.listen(one!.lastEventId);
      const [first] = await within(again.take(), "what it missed");
      const [second] = await within(again.take(), "what it missed");
      deepStrictEqual(
        [first!.data, second!.data].sort(),
        ["three", "two"],
      );
    },
  },
];
