import { InMemorySessions } from "@crossmcp/session-manager";
import {
  type SdkServerEvent,
  serverEventBus,
} from "@crossmcp/session-manager/sdk";
import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";

const EVENTS: readonly SdkServerEvent[] = [
  { kind: "tools_list_changed" },
  { kind: "prompts_list_changed", params: { _meta: { a: 1 } } },
  { kind: "resources_list_changed" },
  { kind: "resource_updated", uri: "file:///a.md" },
  { kind: "resource_updated", uri: "file:///b.md", params: { title: "B" } },
];

describe("serverEventBus", () => {
  it("K4 every listener gets every event once, unchanged and in order", async () => {
    await using sessions = new InMemorySessions();
    const bus = serverEventBus(sessions);
    const one: SdkServerEvent[] = [];
    const two: SdkServerEvent[] = [];
    bus.subscribe((event) => one.push(event));
    serverEventBus(sessions).subscribe((event) => two.push(event));
    for (const event of EVENTS) bus.publish(event);
    assertEquals(one, EVENTS);
    assertEquals(two, EVENTS);
  });

  it("K4 a listener that throws affects no other, and is reported", async () => {
    const reported: Error[] = [];
    await using sessions = new InMemorySessions({
      onError: (error) => reported.push(error),
    });
    const bus = serverEventBus(sessions);
    const failure = new Error("broken");
    bus.subscribe(() => {
      throw failure;
    });
    const events: SdkServerEvent[] = [];
    bus.subscribe((event) => events.push(event));
    bus.publish(EVENTS[0]!);
    assertEquals(events, [EVENTS[0]!]);
    assertEquals(reported, [failure]);
  });

  it("K4 a listener that was removed gets nothing, even if it was added twice", async () => {
    await using sessions = new InMemorySessions();
    const bus = serverEventBus(sessions);
    const events: SdkServerEvent[] = [];
    const listener = (event: SdkServerEvent) => void events.push(event);
    const remove = bus.subscribe(listener);
    bus.subscribe(listener);
    remove();
    remove();
    bus.publish(EVENTS[0]!);
    assertEquals(events, [EVENTS[0]!]);
  });

  it("K4 subscriptions of other transports get what is published, and the other way round", async () => {
    await using sessions = new InMemorySessions();
    const bus = serverEventBus(sessions);
    const methods: string[] = [];
    await sessions.subscriptions.create(
      { id: 1, origin: "a", filters: { toolsListChanged: true } },
      {
        acknowledge: () => {},
        send: ({ method }) => void methods.push(method),
        close: () => {},
      },
    );
    const events: SdkServerEvent[] = [];
    bus.subscribe((event) => events.push(event));
    bus.publish(EVENTS[0]!);
    await sessions.subscriptions.send({
      jsonrpc: "2.0",
      method: "notifications/tools/list_changed",
    });
    assertEquals(methods.length, 2);
    await sessions.subscriptions.send({
      jsonrpc: "2.0",
      method: "notifications/something/else",
    });
    assertEquals(events, [EVENTS[0]!, EVENTS[0]!]);
  });

  it("refuses sessions that are not from this package", () => {
    const error = assertThrows(() => serverEventBus({} as InMemorySessions));
    assertEquals((error as { argument?: string }).argument, "sessions");
  });
});
