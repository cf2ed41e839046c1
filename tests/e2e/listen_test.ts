import {
  InMemorySessions,
  InMemorySubscriptionManager,
  type Subscription,
  type SubscriptionCallbacks,
} from "@crossmcp/session-manager";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  connectHttp,
  connectModern,
  PER_REQUEST_VERSION,
  type ReceivedNotification,
  summary,
  whoAmI,
} from "./support/clients.ts";
import { type Engine, engines } from "./support/serve.ts";
import { NEWS, startServer, WEATHER } from "./support/server.ts";
import { until, within } from "./support/until.ts";

const TOOLS_CHANGED = "notifications/tools/list_changed";
const PROMPTS_CHANGED = "notifications/prompts/list_changed";
const RESOURCES_CHANGED = "notifications/resources/list_changed";
const UPDATED = "notifications/resources/updated";

for (const engine of engines) {
  describe(`subscriptions/listen, per-request era, on ${engine}`, () => {
    it("acknowledges the part of the filter that the server supports", async () => {
      await using server = await start(engine);
      await using alice = await connectModern(server.httpUrl);
      assertEquals(
        alice.client.getNegotiatedProtocolVersion(),
        PER_REQUEST_VERSION,
      );
      const subscription = await alice.client.listen({
        toolsListChanged: true,
        resourceSubscriptions: [NEWS, "file:///unheard-of.md"],
      });
      assertEquals(subscription.honoredFilter, {
        toolsListChanged: true,
        resourceSubscriptions: [NEWS],
      });
      assertEquals(
        server.managers.subscriptions.created[0]?.filters,
        subscription.honoredFilter,
      );
    });

    it("sends each of two subscribers only what it subscribed to", async () => {
      await using server = await start(engine);
      await using alice = await connectModern(server.httpUrl);
      await using bob = await connectModern(server.httpUrl, { name: "bob" });
      await alice.client.listen({
        toolsListChanged: true,
        resourceSubscriptions: [NEWS],
      });
      await bob.client.listen({
        promptsListChanged: true,
        resourcesListChanged: true,
        resourceSubscriptions: [WEATHER],
      });

      server.mcp.changed("prompts");
      server.mcp.changed("resource", WEATHER);
      server.mcp.changed("tools");
      server.mcp.changed("resource", NEWS);
      server.mcp.changed("resources");
      await until(
        () => alice.notifications.length >= 2,
        "Alice's two notifications",
      );
      await until(
        () => bob.notifications.length >= 3,
        "Bob's three notifications",
      );
      await bob.client.callTool({ name: "print-news" });
      await until(() => alice.notifications.length >= 3, "the news");
      server.mcp.changed("prompts");
      await until(
        () => bob.notifications.length >= 4,
        "Bob's next notification",
      );

      assertEquals(summary(alice.notifications), [
        TOOLS_CHANGED,
        `${UPDATED} ${NEWS}`,
        `${UPDATED} ${NEWS}`,
      ]);
      assertEquals(summary(bob.notifications), [
        PROMPTS_CHANGED,
        `${UPDATED} ${WEATHER}`,
        RESOURCES_CHANGED,
        PROMPTS_CHANGED,
      ]);
    });

    it("separates two subscriptions of one client", async () => {
      await using server = await start(engine);
      await using alice = await connectModern(server.httpUrl);
      const tools = await alice.client.listen({ toolsListChanged: true });
      await alice.client.listen({
        toolsListChanged: true,
        promptsListChanged: true,
      });
      const { created } = server.managers.subscriptions;
      const [first, second] = [created[0]!, created[1]!];

      server.mcp.changed("tools");
      await until(() => alice.notifications.length >= 2, "both copies");
      assertEquals(
        alice.notifications.map(subscriptionId).toSorted(),
        [first.id, second.id],
      );
      await tools.close();
      await until(
        () => server.hasEnded(first),
        "the first subscription to end",
      );
      server.mcp.changed("tools");
      server.mcp.changed("prompts");
      await until(
        () => alice.notifications.length >= 4,
        "the notifications of the second subscription",
      );
      assertEquals(
        alice.notifications.slice(2).map(subscriptionId),
        [second.id, second.id],
      );
      assertEquals(summary(alice.notifications), [
        TOOLS_CHANGED,
        TOOLS_CHANGED,
        TOOLS_CHANGED,
        PROMPTS_CHANGED,
      ]);
    });

    it("removes a subscription that the client cancels", async () => {
      await using server = await start(engine);
      await using alice = await connectModern(server.httpUrl);
      const subscription = await alice.client.listen({
        toolsListChanged: true,
      });
      const created = server.managers.subscriptions.created[0]!;
      assertEquals(await server.hasEnded(created), false);

      await subscription.close();
      assertEquals(await subscription.closed, "local");
      await until(
        () => server.hasEnded(created),
        "the subscription to end on the server",
      );
      server.mcp.changed("tools");
      await using bob = await connectModern(server.httpUrl);
      await bob.client.listen({ toolsListChanged: true });
      server.mcp.changed("tools");
      await until(() => bob.notifications.length >= 1, "bob's notification");
      assertEquals(alice.notifications, []);
    });

    it("removes the subscriptions of a client that disconnects", async () => {
      await using server = await start(engine);
      const alice = await connectModern(server.httpUrl);
      await alice.client.listen({ toolsListChanged: true });
      await alice.client.listen({ promptsListChanged: true });
      const { created } = server.managers.subscriptions;
      assertEquals(created.length, 2);
      await alice.close();
      for (const subscription of created) {
        await until(
          () => server.hasEnded(subscription),
          "the subscription to end",
        );
      }
    });

    it("ends every subscription gracefully when the sessions close", async () => {
      await using server = await start(engine);
      await using alice = await connectModern(server.httpUrl);
      await using bob = await connectModern(server.httpUrl, { name: "bob" });
      const subscriptions = [
        await alice.client.listen({ toolsListChanged: true }),
        await bob.client.listen({ promptsListChanged: true }),
      ];
      server.mcp.changed("tools");
      await server.managers.close();
      for (const { closed } of subscriptions) {
        assertEquals(
          await within(closed, "the subscription to end"),
          "graceful",
        );
      }
      assertEquals(summary(alice.notifications), [TOOLS_CHANGED]);
    });

    it("ends one subscription gracefully when the server closes it", async () => {
      await using server = await start(engine);
      await using alice = await connectModern(server.httpUrl);
      const first = await alice.client.listen({ toolsListChanged: true });
      const response = server.responses.at(-1)!;
      const second = await alice.client.listen({ toolsListChanged: true });

      assertEquals(await server.http.closeSubscription(response), true);
      assertEquals(
        await within(first.closed, "the first subscription to end"),
        "graceful",
      );
      server.mcp.changed("tools");
      await until(
        () => alice.notifications.length >= 1,
        "the notification of the second subscription",
      );
      assertEquals(
        alice.notifications.map(subscriptionId),
        [server.managers.subscriptions.created[1]?.id],
      );
      await second.close();
    });

    it("serves both eras at once", async () => {
      await using server = await start(engine);
      const { streams } = server.managers;
      await using alice = await connectHttp(server.httpUrl, streams);
      await using bob = await connectModern(server.httpUrl, { name: "bob" });
      await alice.client.subscribeResource({ uri: NEWS });
      await bob.client.listen({ toolsListChanged: true });
      assertEquals(await whoAmI(bob.client), {
        clientInfo: { name: "bob", version: "1.2.3" },
        clientCapabilities: {},
      });

      server.mcp.changed("resource", NEWS);
      await until(() => alice.notifications.length >= 1, "the news");
      await bob.client.callTool({ name: "rename-tools" });
      await until(() => alice.notifications.length >= 2, "the list change");
      await until(() => bob.notifications.length >= 1, "the list change");
      assertEquals(summary(alice.notifications), [
        `${UPDATED} ${NEWS}`,
        TOOLS_CHANGED,
      ]);
      assertEquals(summary(bob.notifications), [TOOLS_CHANGED]);
    });
  });
}

/** An in-memory manager that also records the subscriptions. */
class RecordingSubscriptionManager extends InMemorySubscriptionManager {
  readonly created: Subscription[] = [];

  override create(
    subscription: Subscription,
    callbacks: SubscriptionCallbacks,
  ): Promise<boolean> {
    this.created.push(subscription);
    return super.create(subscription, callbacks);
  }

  /** Returns whether the ID of a subscription is free again. */
  async hasEnded({ id, origin }: Subscription): Promise<boolean> {
    const callbacks = { acknowledge() {}, send() {}, close() {} };
    const free = await super.create({ id, origin, filters: {} }, callbacks);
    if (free) await this.close(id, origin, "closed");
    return free;
  }
}

async function start(engine: Engine) {
  const { streams, info } = new InMemorySessions();
  const subscriptions = new RecordingSubscriptionManager();
  const server = await startServer({
    engine,
    managers: {
      streams,
      info,
      subscriptions,
      close: () => subscriptions[Symbol.asyncDispose](),
    },
  });
  return {
    ...server,
    hasEnded: (subscription: Subscription) =>
      subscriptions.hasEnded(subscription),
  };
}

function subscriptionId({ params }: ReceivedNotification): string | number {
  const meta = params?._meta as Record<string, string | number>;
  return meta["io.modelcontextprotocol/subscriptionId"]!;
}
