import type { RedisSessions } from "@crossmcp/session-manager/redis";
import { createEventStore } from "@crossmcp/session-manager/sdk";
import { assertEquals } from "@std/assert";
import { frame, TestClient } from "../../../src/testing/support/test_client.ts";
import { TestSubscriber } from "../../../src/testing/support/test_subscriber.ts";
import { until } from "../../e2e/support/until.ts";
import { openStream, textsOf } from "./open_stream.ts";

/** Does everything that two nodes with replay can do for each other. */
export async function doEverything(
  here: RedisSessions,
  there: RedisSessions,
): Promise<void> {
  const [first, second] = [openStream(), openStream()];
  await here.streams.create("s", first.controller);
  await there.streams.send(["s"], frame("one"));
  await there.streams.send(undefined, frame("all"));
  assertEquals(await textsOf(first, 2), ["one", "all"]);
  await there.streams.create("s", second.controller);
  await here.streams.send(["s"], frame("moved"));
  assertEquals(await textsOf(second, 1), ["moved"]);
  const info = { name: "client", version: "1" };
  await here.info.setClientInfo("s", info);
  await here.info.setClientCapabilities("s", { roots: {} });
  await here.info.setLogLevel("s", "alert");
  await here.info.addSubscription("s", "file:///a");
  await here.info.addSubscription("s", "file:///b");
  await here.info.removeSubscription("s", "file:///b");
  assertEquals(await there.info.getClientInfo("s"), info);
  assertEquals(await there.info.getClientCapabilities("s"), { roots: {} });
  assertEquals(await there.info.getLogLevel("s"), "alert");
  assertEquals(await there.info.getSubscriptions("file:///a"), ["s"]);
  assertEquals(await there.info.getSubscriptions("file:///b"), []);
  await here.streams.delete("s");
  assertEquals(await there.streams.has("s"), false);
  await there.info.delete("s");
  assertEquals(await here.info.getSubscriptions("file:///a"), []);
  await listen(here, there);
  await resume(here, there);
  const store = createEventStore(here, "s");
  const eventId = await store.storeEvent("stream", { text: "one" });
  await store.storeEvent("stream", { text: "two" });
  const replayed: unknown[] = [];
  await createEventStore(there, "s").replayEventsAfter(eventId, {
    send: async (_, message) => void replayed.push(await message),
  });
  assertEquals(replayed, [{ text: "two" }]);
}

async function listen(
  here: RedisSessions,
  there: RedisSessions,
): Promise<void> {
  const subscriber = new TestSubscriber();
  const filter = { toolsListChanged: true } as const;
  await subscriber.subscribe(here.subscriptions, 1, filter, "o");
  assertEquals(await there.subscriptions.close(1, "o", "closed"), true);
  await subscriber.called("close: closed");
}

async function resume(
  here: RedisSessions,
  there: RedisSessions,
): Promise<void> {
  const client = await TestClient.begin(here);
  const stream = await client.listen();
  // The client gets its response before all nodes know the owner of the stream.
  await until(() => there.streams.has(client.id), "the stream to be known");
  await there.streams.send([client.id], frame("got"));
  const [event] = await stream.take();
  await stream.cancel();
  await there.streams.send([client.id], frame("missed"));
  const moved = new TestClient(there, { id: client.id });
  const again = await moved.listen(event!.lastEventId);
  const [missed] = await again.take();
  assertEquals([missed!.type, missed!.data], ["message", "missed"]);
  assertEquals(await moved.end(), 200);
  assertEquals(await client.ping(), 404);
}
