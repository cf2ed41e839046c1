import { ClusterSessions } from "@crossmcp/session-manager/cluster";
import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  deciderOf,
  MAX_WITNESSES,
  witnessesOf,
} from "../../src/cluster/membership/witnesses.ts";
import { Client } from "../model/client.ts";
import { usingFakeTime } from "../support/streams.ts";
import { HEARTBEAT_MS, pass, settled } from "./support/timing.ts";
import { dataOf } from "./support/test_node.ts";

const NODES = Array.from({ length: 40 }, (_, number) => `n${number}`);
const KEYS = Array.from({ length: 4_000 }, (_, number) => `session-${number}`);

describe("witnessesOf", () => {
  it("C17 chooses the same few nodes, whatever the order of the others", () => {
    const reversed = [...NODES].reverse();
    for (const key of KEYS.slice(0, 100)) {
      const chosen = witnessesOf(key, NODES);
      assertEquals(new Set(chosen).size, MAX_WITNESSES);
      assertEquals(witnessesOf(key, reversed), chosen);
      assertEquals(deciderOf(key, reversed), chosen[0]);
    }
  });

  it("C17 chooses all nodes of a small cluster", () => {
    const few = NODES.slice(0, MAX_WITNESSES);
    assertEquals(witnessesOf("s", few), few);
  });

  it("C17 gives each node about as much to decide, and moves little", () => {
    const counts = new Map<string, number>();
    let moved = 0;
    for (const key of KEYS) {
      const decider = deciderOf(key, NODES);
      counts.set(decider, (counts.get(decider) ?? 0) + 1);
      if (deciderOf(key, NODES.slice(1)) !== decider) moved++;
    }
    const average = KEYS.length / NODES.length;
    for (const name of NODES) {
      const count = counts.get(name) ?? 0;
      assert(count > average / 2 && count < average * 2, `${name}: ${count}`);
    }
    assertEquals(moved, counts.get(NODES[0]!));
  });
});

describe("ClusterSessions: more nodes than witnesses", () => {
  it(
    "C4 a node that has not received a write yet asks for it",
    usingFakeTime(async (time) => {
      const network = new LossyNetwork();
      let isDeaf = false;
      const nodes = NODES.slice(0, MAX_WITNESSES + 4).map((node, at) => {
        const bus = network.bus();
        return new ClusterSessions({
          // The last node receives nothing that the first one sends to all.
          start: (name, receive) =>
            bus.start(name, (text) => {
              const isLost = isDeaf && at === MAX_WITNESSES + 3 &&
                text.includes('"from":"n0"');
              if (!isLost) receive(text);
            }),
          publish: (text, to) => bus.publish(text, to),
          close: () => bus.close(),
        }, {
          cluster: { node, heartbeatMs: 50 * HEARTBEAT_MS },
          streams: { keepAliveMs: false },
        });
      });
      const ready = nodes.map((node) => node.ready);
      await settled(time, Promise.all(ready), "ready");
      await pass(time, 500);
      const [first, last] = [nodes[0]!, nodes.at(-1)!];
      isDeaf = true;
      // Its witnesses confirm that they know everything.
      const others = NODES.slice(1, nodes.length);
      const ids = KEYS.filter((id) => !witnessesOf(id, others).includes("n11"));
      for (const id of ids.slice(0, 3)) {
        const client = new Client(id, "count", true, () => {});
        const { streams, info } = first;
        await settled(time, streams.create(id, client.controller), "create");
        await settled(time, info.setLogLevel(id, "alert"), "a write");
        assertEquals(await settled(time, last.streams.has(id), "has"), true);
        const level = last.info.getLogLevel(id);
        assertEquals(await settled(time, level, "a read"), "alert");
        void last.streams.send([id], "data: once\n\n");
        await pass(time, 20);
        assertEquals(dataOf(client), ["once"]);
        await settled(time, last.streams.delete(id), "delete");
        await pass(time, 20);
        assert(client.ended !== undefined, "The stream is open.");
      }
      isDeaf = false;
      const closing = nodes.map((node) => node.close());
      await settled(time, Promise.all(closing), "close");
    }),
  );
});
