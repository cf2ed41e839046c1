import {
  formatSseEvent,
  type InMemorySessions,
} from "@crossmcp/session-manager";
import { connectHttp, connectModern } from "../../e2e/support/clients.ts";
import { readEvents } from "../../e2e/support/event_stream.ts";
import {
  beginSession,
  type GuardedServer,
  sendRequest,
} from "../../e2e/support/guarded.ts";
import { NEWS, WEATHER } from "../../e2e/support/server.ts";
import { until } from "../../e2e/support/until.ts";

const CHANGED = { method: "notifications/tools/list_changed" } as const;
/** More than the sockets of a client that does not read hold. */
const LONG = formatSseEvent({ data: "x".repeat(500_000) });

/** The options of a server for {@linkcode makeTraffic}. */
export const OPTIONS = {
  streams: { replay: { maxEvents: 100 }, backlog: { maxBytes: 1_000_000 } },
  info: { idleTimeoutMs: 1_000 },
};

/** Uses a server as many clients do, until everything has been counted. */
export async function makeTraffic(
  server: GuardedServer,
): Promise<AsyncDisposable> {
  const { sessions, httpUrl } = server;
  const { streams } = sessions;
  const stack: AsyncDisposable[] = [];
  // Official clients, of both eras.
  const alice = await connectHttp(httpUrl, streams);
  const bob = await connectHttp(httpUrl, streams, { name: "bob" });
  const carol = await connectModern(httpUrl, { name: "carol" });
  stack.push(alice, bob, carol);
  await carol.client.listen({ toolsListChanged: true });
  await alice.client.subscribeResource({ uri: NEWS });
  await alice.client.subscribeResource({ uri: WEATHER });
  await bob.client.subscribeResource({ uri: NEWS });
  for (let count = 0; count < 10; count++) await sessions.notify(CHANGED);
  await until(() => carol.notifications.length === 10, "the notifications");
  await resume(server);
  await evict(sessions, httpUrl);
  // Three sessions end, each in another way.
  const deleted = await beginSession(httpUrl);
  const headers = { "mcp-session-id": deleted };
  await (await fetch(httpUrl, { method: "DELETE", headers })).body?.cancel();
  const ended = await beginSession(httpUrl, { "x-user": "dave" });
  await sessions.end({ session: ended });
  await beginSession(httpUrl);
  await until(() => sessions.stats().ended.expired >= 1, "one to expire");
  return {
    [Symbol.asyncDispose]: async () => {
      for (const each of stack) await each[Symbol.asyncDispose]();
    },
  };
}

/** A client reconnects: it gets what it missed, and then resets. */
async function resume({ sessions, httpUrl }: GuardedServer): Promise<void> {
  const session = await beginSession(httpUrl);
  const open = async (lastEventId?: string) =>
    await readEvents(
      await sendRequest(httpUrl, {
        accept: "text/event-stream",
        "mcp-session-id": session,
        ...lastEventId !== undefined && { "last-event-id": lastEventId },
      }),
    );
  const first = await open();
  await sessions.notify(CHANGED, { sessions: [session] });
  const idOf = () => first.events().find(({ data }) => data)?.id;
  await until(() => idOf() !== undefined, "an event");
  await first.cancel();
  for (let count = 0; count < 5; count++) {
    await sessions.notify(CHANGED, { sessions: [session] });
  }
  const second = await open(idOf());
  await second.cancel();
  const third = await open("not an ID of this log");
  await third.cancel();
  await sessions.info.delete(session);
}

/** A client that does not read is evicted. */
async function evict(sessions: InMemorySessions, url: URL): Promise<void> {
  const session = await beginSession(url);
  const response = await sendRequest(url, {
    accept: "text/event-stream",
    "mcp-session-id": session,
  });
  const { bytes } = sessions.stats().evicted;
  await until(async () => {
    await sessions.streams.send([session], LONG);
    return sessions.stats().evicted.bytes > bytes;
  }, "the eviction");
  await response.body?.cancel().catch(() => {});
  await sessions.info.delete(session);
}
