import type { JSONRPCNotification } from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { usingFakeTime } from "../support/streams.ts";
import { start, stop, type TestNode } from "./support/test_node.ts";
import { pass, settled } from "./support/timing.ts";

describe("ClusterSessions: a notification object that its sender reuses", () => {
  it(
    "C15 each notification arrives as it was when it was sent",
    usingFakeTime(async (time) => {
      const { nodes } = await start(time, ["n0", "n1"]);
      const got = await settled(time, listen(nodes[1]!), "listen");
      const { subscriptions } = nodes[0]!.sessions;
      const notification = notificationOf({ count: 0 });
      for (let count = 1; count <= 3; count++) {
        notification.params.count = count;
        void subscriptions.send(notification);
      }
      delete notification.params.count;
      await pass(time, 20);
      assertEquals(got, [{ count: 1 }, { count: 2 }, { count: 3 }]);
      await stop(time, nodes);
    }),
  );

  it(
    "C15 a notification arrives although JSON cannot express its later content",
    usingFakeTime(async (time) => {
      const { nodes } = await start(time, ["n0", "n1"]);
      const got = await settled(time, listen(nodes[1]!), "listen");
      const { subscriptions, streams } = nodes[0]!.sessions;
      const { client, created } = nodes[1]!.open("s");
      await settled(time, created, "create");
      const notification = notificationOf({ count: 1 });
      const sent = subscriptions.send(notification);
      notification.params.self = notification;
      // Other messages of the same turn are not lost either.
      void streams.send(["s"], "data: one\n\n");
      await settled(time, sent, "send");
      await pass(time, 20);
      assertEquals(got, [{ count: 1 }]);
      assertEquals(client.text, "data: one\n\n");
      await stop(time, nodes);
    }),
  );
});

type Params = Record<string, unknown>;

function notificationOf(
  params: Params,
): JSONRPCNotification & { params: Params } {
  const method = "notifications/tools/list_changed";
  return { jsonrpc: "2.0", method, params };
}

/** Subscribes, and collects what is delivered. */
async function listen({ sessions }: TestNode): Promise<unknown[]> {
  const got: unknown[] = [];
  const filters = { toolsListChanged: true };
  await sessions.subscriptions.create({ id: 1, origin: "o", filters }, {
    acknowledge: () => {},
    send: ({ params }) => void got.push(params),
    close: () => {},
  });
  return got;
}
