import { InMemorySessions, type Sessions } from "@crossmcp/session-manager";
import { BroadcastChannelSessions } from "@crossmcp/session-manager/broadcast-channel";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { connectHttp, connectSse, summary } from "./support/clients.ts";
import { type Engine, engines } from "./support/serve.ts";
import { startServer } from "./support/server.ts";
import { until } from "./support/until.ts";

const TOOLS = "notifications/tools/list_changed";
const PROMPTS = "notifications/prompts/list_changed";

for (const engine of engines) {
  describe(`Two transports of one server, on ${engine}`, () => {
    it("S19 each client gets a broadcast once", async () => {
      await using sessions = new InMemorySessions();
      await assertOnce(engine, [sessions]);
    });

    it("S19 each client of each node gets a broadcast once", async () => {
      const name = crypto.randomUUID();
      await using one = new BroadcastChannelSessions(name);
      await using two = new BroadcastChannelSessions(name);
      await Promise.all([one.ready, two.ready]);
      await assertOnce(engine, [one, two]);
    });
  });
}

/** Connects a client to each transport of each node. */
async function assertOnce(
  engine: Engine,
  nodes: readonly Sessions[],
): Promise<void> {
  const servers = await Promise.all(nodes.map((sessions) =>
    startServer({
      engine,
      managers: sessions.forTransport("http"),
      sseManagers: sessions.forTransport("sse"),
      guard: (request, respond) => sessions.guard(request, respond),
    })
  ));
  const clients: Awaited<ReturnType<typeof connectHttp | typeof connectSse>>[] =
    [];
  try {
    for (const { httpUrl, sseUrl, managers } of servers) {
      clients.push(await connectHttp(httpUrl, managers.streams));
      clients.push(await connectSse(sseUrl));
    }
    for (const [index, { mcp }] of servers.entries()) {
      mcp.changed("tools");
      // A second copy of the first notification would arrive before this one.
      mcp.changed("prompts");
      const rounds = Array(index + 1).fill([TOOLS, PROMPTS]).flat();
      await until(
        () =>
          clients.every(({ notifications }) =>
            notifications.length >= rounds.length
          ),
        "the notifications",
      );
      for (const { notifications } of clients) {
        assertEquals(summary(notifications), rounds);
      }
    }
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(servers.map((server) => server.close()));
  }
}
