import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { NotifyTarget } from "../../../contracts/sessions.ts";
import type { ServerNotification } from "../../../protocol/notifications.ts";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { TestClient, type TestEvents } from "../../support/test_client.ts";
import { TestSubscriber } from "../../support/test_subscriber.ts";

/** A notification that no subscription can listen to. */
export function note(name: string): ServerNotification<"notifications/note"> {
  return { method: "notifications/note", params: { name } };
}

/** Reads up to the note with a name; returns the messages before it. */
export async function messagesUntil(
  events: TestEvents,
  name: string,
): Promise<unknown[]> {
  const before = await events.until(
    JSON.stringify({ jsonrpc: "2.0", ...note(name) }),
  );
  return before.map((data) => JSON.parse(data));
}

const TOOLS = "notifications/tools/list_changed";
const UPDATED = "notifications/resources/updated";

/** `notify`, for the clients of one node. */
export const notifyCases: readonly SessionsCase[] = [
  {
    behaviour: "O1",
    name: "a notification reaches sessions and matching subscriptions, once",
    run: async ({ create, within }) => {
      const sessions = await create();
      const client = await TestClient.begin(sessions);
      const other = await TestClient.begin(sessions, { transport: "other" });
      const streams = [
        await within(client.listen(), "a stream"),
        await within(other.listen(), "a stream of a view"),
      ];
      const tools = new TestSubscriber();
      await within(
        tools.subscribe(sessions.subscriptions, 1, { toolsListChanged: true }),
        "a subscription",
      );
      const prompts = new TestSubscriber();
      await within(
        prompts.subscribe(sessions.subscriptions, 2, {
          promptsListChanged: true,
        }),
        "another subscription",
      );
      const params = { _meta: { "example.com/lines": "one\ntwo\r\nthree" } };
      await within(sessions.notify({ method: TOOLS, params }), "notify");
      await within(sessions.notify(note("end")), "notify");
      for (const stream of streams) {
        const [event] = await within(stream.take(), "the notification");
        strictEqual(event!.type, "message");
        deepStrictEqual(
          JSON.parse(event!.data),
          { jsonrpc: "2.0", method: TOOLS, params },
        );
        const rest = await within(messagesUntil(stream, "end"), "the end");
        deepStrictEqual(rest, [], "A client got it more than once");
      }
      await within(tools.got("acknowledge", TOOLS), "the subscriber");
      await within(prompts.got("acknowledge"), "the other subscriber");
    },
  },
  {
    behaviour: "O1",
    name: "a notification to sessions reaches these sessions only, once",
    run: async ({ create, within }) => {
      const sessions = await create();
      const a = await TestClient.begin(sessions);
      const b = await TestClient.begin(sessions);
      const streams = [
        await within(a.listen(), "a stream"),
        await within(b.listen(), "a stream"),
      ];
      const subscriber = new TestSubscriber();
      await within(
        subscriber.subscribe(sessions.subscriptions, 1, {
          toolsListChanged: true,
        }),
        "a subscription",
      );
      const to = { sessions: [a.id, "unknown", a.id] };
      await within(sessions.notify({ method: TOOLS }, to), "notify");
      await within(sessions.notify(note("no"), { sessions: [] }), "notify");
      await within(sessions.notify(note("end")), "notify");
      const got: unknown[][] = [];
      for (const stream of streams) {
        got.push(await within(messagesUntil(stream, "end"), "the end"));
      }
      deepStrictEqual(got, [[{ jsonrpc: "2.0", method: TOOLS }], []]);
      await within(subscriber.got("acknowledge"), "the subscriber");
    },
  },
  {
    behaviour: "O2",
    name: "a notification to a principal reaches its sessions and no other",
    run: async ({ create, within }) => {
      const sessions = await create();
      const principals = ["alice", "alice", "bob", "", undefined, "alice x"];
      const streams: TestEvents[] = [];
      for (const principal of principals) {
        const begun = TestClient.begin(sessions, { principal });
        const client = await within(begun, "a session");
        streams.push(await within(client.listen(), "a stream"));
      }
      const ended = await TestClient.begin(sessions, { principal: "alice" });
      await within(ended.end(), "the end of a session");
      for (const principal of ["alice", "", "nobody"]) {
        await within(sessions.notify(note("own"), { principal }), "notify");
      }
      await within(sessions.notify(note("end")), "notify");
      const counts: number[] = [];
      for (const stream of streams) {
        const got = await within(messagesUntil(stream, "end"), "the end");
        counts.push(got.length);
      }
      deepStrictEqual(counts, [1, 1, 0, 1, 0, 0]);
    },
  },
  {
    behaviour: "O1",
    name: "an update of a resource reaches those that subscribed to it",
    run: async ({ create, within }) => {
      const sessions = await create();
      const a = await TestClient.begin(sessions);
      const b = await TestClient.begin(sessions);
      const streams = [
        await within(a.listen(), "a stream"),
        await within(b.listen(), "a stream"),
      ];
      const subscriber = new TestSubscriber();
      const uri = "file:///notes.md";
      await within(sessions.info.addSubscription(a.id, uri), "a subscription");
      await within(
        subscriber.subscribe(sessions.subscriptions, 1, {
          resourceSubscriptions: [uri],
        }),
        "a subscription",
      );
      const update = { method: UPDATED, params: { uri } } as const;
      await within(sessions.notify(update), "notify");
      // Whom the caller names is not asked.
      await within(
        sessions.notify(update, { sessions: [b.id] }),
        "notify",
      );
      await within(sessions.notify(note("end")), "notify");
      for (const stream of streams) {
        const got = await within(messagesUntil(stream, "end"), "the end");
        deepStrictEqual(got, [{ jsonrpc: "2.0", ...update }]);
      }
      await within(subscriber.got("acknowledge", uri), "the subscriber");
    },
  },
  {
    behaviour: "O1",
    name: "notifications arrive in the order of the calls",
    run: async ({ create, within }) => {
      const sessions = await create();
      const principal = "alice";
      const client = await TestClient.begin(sessions, { principal });
      const stream = await within(client.listen(), "a stream");
      const targets: (NotifyTarget | undefined)[] = [
        undefined,
        { principal },
        { sessions: [client.id] },
      ];
      const names = Array.from({ length: 30 }, (_, at) => `note ${at}`);
      const sent = names.map((name, at) =>
        sessions.notify(note(name), targets[at % 3])
      );
      await within(Promise.all(sent), "all notifications");
      await within(sessions.notify(note("end")), "notify");
      const got = await within(messagesUntil(stream, "end"), "the end");
      deepStrictEqual(
        got,
        names.map((name) => ({ jsonrpc: "2.0", ...note(name) })),
      );
    },
  },
  {
    behaviour: "O1",
    name: "what is not a notification is refused, and nothing is sent",
    run: async ({ create, within }) => {
      const sessions = await create();
      const client = await TestClient.begin(sessions);
      const stream = await within(client.listen(), "a stream");
      const circular: Record<string, unknown> = {};
      circular.self = circular;
      const method = "notifications/note";
      const invalid: readonly unknown[] = [
        undefined,
        null,
        "event: message\ndata: text\n\n",
        [],
        {},
        { method: "" },
        { method: 1 },
        { jsonrpc: "1.0", method },
        { method: "ping", id: 1 },
        { method, params: "text" },
        { method, params: [] },
        { method, params: circular },
        { method, params: { big: 1n } },
        { method: UPDATED },
        { method: UPDATED, params: { uri: 1 } },
        { method: "notifications/message", params: { level: "loud", data: 1 } },
        { method: "notifications/progress", params: { progressToken: 1 } },
      ];
      const expected = {
        name: "InvalidArgumentError",
        code: "ERR_INVALID_ARGUMENT",
      };
      for (const value of invalid) {
        const sent = sessions.notify(value as ServerNotification);
        await within(rejects(sent, expected), "an error");
      }
      const targets: readonly unknown[] = [
        null,
        "alice",
        {},
        { principal: undefined },
        { sessions: undefined },
        { sessions: client.id },
        { sessions: [1] },
        { principal: 1 },
        { principal: "alice", sessions: [client.id] },
        { session: client.id },
      ];
      for (const to of targets) {
        const sent = sessions.notify(note("no"), to as NotifyTarget);
        await within(rejects(sent, expected), "an error");
      }
      await within(sessions.notify(note("end")), "notify");
      deepStrictEqual(await within(messagesUntil(stream, "end"), "it"), []);
    },
  },
];
