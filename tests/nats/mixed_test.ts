import { assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { meet, RemoteNodes, withNodes } from "../cluster_nodes/remote_nodes.ts";
import { until } from "../e2e/support/until.ts";
import { ProcessNode } from "../redis/support/processes.ts";
import { programOf, type RuntimeName } from "../redis/support/runtimes.ts";
import { describeNats, hasNats, NatsServer } from "./support/nats_server.ts";

const RUNTIMES: readonly RuntimeName[] = ["deno", "node", "bun"];
const SCRIPT = new URL("./support/node_process.ts", import.meta.url);
/** The runtimes that are missing. */
const missing = hasNats
  ? RUNTIMES.filter((runtime) => programOf(runtime) === undefined)
  : [];

describeNats("NatsSessions: Deno, Node and Bun in one cluster", () => {
  let server: NatsServer;
  before(async () => {
    server = await NatsServer.start();
  });
  after(() => server?.kill());

  if (missing.length > 0) {
    it.skip(`needs ${missing.join(" and ")}`);
    return;
  }

  it("C1 C3 C6 S14 what one of them does, all know, also when one is killed", () => {
    const runtimes = [...RUNTIMES];
    const nodes = new RemoteNodes<ProcessNode>(
      { cluster: { heartbeatMs: 300 }, streams: { replay: {} } },
      () => new ProcessNode({ port: server.port }, runtimes.shift(), SCRIPT),
    );
    return withNodes(nodes, async () => {
      const all = await nodes.start(3);
      for (const [at, node] of all.entries()) {
        await node.node.open(`s${at}`);
        const others = all.filter((other) => other !== node);
        for (const { streams } of others) {
          assertEquals(await streams.has(`s${at}`), true);
        }
      }
      const expected: string[] = [];
      for (const [at, { messages }] of all.entries()) {
        await messages.send(undefined, `all ${at}`);
        await messages.send(["s0", "s1", "s2"], `some ${at}`);
        expected.push(`all ${at}`, `some ${at}`);
      }
      for (const [at, { node }] of all.entries()) {
        const got = await node.receivedAll(`s${at}`, expected);
        assertEquals(got.sort(), expected.sort());
      }
      // A client moves to another runtime, with what it missed.
      const [a, b, c] = all as [ProcessNode, ProcessNode, ProcessNode];
      const id = await a.clients.begin();
      await a.clients.listen(id);
      await b.messages.send([id], "got");
      const [got] = await a.clients.events(id, 1);
      await a.clients.leave(id);
      await c.messages.send([id], "missed");
      await b.clients.listen(id, got!.lastEventId);
      const [missed] = await b.clients.events(id, 1);
      assertEquals(missed!.data, "missed");
      await a.kill();
      await until(
        async () => !await b.streams.has("s0") && !await c.streams.has("s0"),
        "the killed node to be gone",
        PATIENCE_MS,
      );
      await meet([b, c]);
      await b.messages.send(["s2"], "still here");
      await c.node.receivedAll("s2", ["still here"]);
    });
  });
});
