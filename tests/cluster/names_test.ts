import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { usingFakeTime } from "../support/streams.ts";
import { dataOf, start, stop, views } from "./support/test_node.ts";
import { pass, settled } from "./support/timing.ts";

const COUNT = 60;

describe("ClusterSessions: unusual names of nodes", () => {
  for (const name of ["__proto__", "constructor", "toString"]) {
    it(
      `I9 a node named "${name}" is reached on a network that loses messages`,
      usingFakeTime(async (time) => {
        const network = new LossyNetwork({
          seed: 3,
          dropRate: 0.3,
          delayMs: [0, 5],
        });
        const names = ["n0", name, "n2"];
        const { nodes } = await start(time, names, { network });
        const [a, b, c] = nodes;
        const streams = [b!.open("s"), c!.open("t")];
        for (const { created } of streams) {
          await settled(time, created, "create");
        }
        const sent: [s: string[], t: string[]] = [[], []];
        for (let count = 0; count < COUNT; count++) {
          // Messages for one node leave gaps in the sequence numbers of the
          // others.
          const sessions = [["s"], undefined, ["t"], undefined][count % 4];
          if (sessions?.[0] !== "t") sent[0].push(`${count}`);
          if (sessions?.[0] !== "s") sent[1].push(`${count}`);
          void a!.sessions.streams.send(sessions, `data: ${count}\n\n`);
          await pass(time, 5);
        }
        await pass(time, 1_000);
        assertEquals(streams.map(({ client }) => dataOf(client)), sent);
        assertEquals(await views(time, nodes, "s"), [true, true, true]);
        assertEquals(nodes.flatMap(({ errors }) => errors), []);
        await stop(time, nodes);
      }),
    );
  }
});
