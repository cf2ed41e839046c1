import { InMemorySessions } from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { frame, TestClient } from "../../src/testing/support/test_client.ts";

const HONEST = 100;
const HOSTILE = 1_000;
/** How many notifications each honest client gets in each half of the run. */
const NOTIFICATIONS = 25;
const MAX_SESSIONS = 3;
const MAX_SUBSCRIPTIONS = 20;
/** How much longer honest clients may wait on a busy machine, in ms. */
const SLACK_MS = 25;

describe("a thousand hostile clients beside a hundred honest ones", () => {
  it("L2 L3 L5 L6 L9 the honest ones lose nothing and don't wait", async () => {
    let refused = 0;
    const honestRefused: string[] = [];
    await using sessions = new InMemorySessions({
      streams: { replay: { maxEvents: 20_000 } },
      info: {
        maxSessionsPerPrincipal: MAX_SESSIONS,
        maxSubscriptionsPerSession: MAX_SUBSCRIPTIONS,
        maxClientInfoBytes: 1_000,
      },
      http: { maxNewSessionsPerSecond: 2, maxBodyBytes: 10_000 },
      onRefuse: (_, principal) => {
        if (principal?.startsWith("honest")) honestRefused.push(principal);
        else refused++;
      },
    });
    const honest = await Promise.all(
      Array.from({ length: HONEST }, async (_, index) => {
        const principal = `honest ${index}`;
        const client = await TestClient.begin(sessions, { principal });
        const events = await client.listen();
        const received: string[] = [];
        const reading = (async () => {
          while (received.at(-1) !== "last") {
            received.push((await events.take())[0]!.data);
          }
          await events.cancel();
        })();
        return { client, received, reading };
      }),
    );
    const sent: string[] = [];
    /** Notifies and pings every honest client; returns the median wait. */
    const serve = async () => {
      const waits: number[] = [];
      for (let count = 0; count < NOTIFICATIONS; count++) {
        sent.push(`${sent.length}`);
        for (const { client } of honest) {
          void sessions.streams.send([client.id], frame(sent.at(-1)!));
        }
        const { client } = honest[count % HONEST]!;
        const startedAt = performance.now();
        assertEquals(await client.ping(), 200);
        waits.push(performance.now() - startedAt);
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
      return waits.sort((a, b) => a - b)[waits.length >> 1]!;
    };
    const alone = await serve();
    const abuse = { isOver: false, begun: 0 };
    const hostile = Array.from(
      { length: HOSTILE },
      (_, index) => attack(sessions, `hostile ${index}`, index, abuse),
    );
    const together = await serve();
    abuse.isOver = true;
    await Promise.all(hostile);
    for (const { client } of honest) {
      await sessions.streams.send([client.id], frame("last"));
    }
    await Promise.all(honest.map(({ reading }) => reading));
    for (const { received } of honest) {
      assertEquals(received, [...sent, "last"]);
    }
    assert(
      together <= 2 * alone + SLACK_MS,
      `Honest clients wait ${together} ms instead of ${alone} ms.`,
    );
    assertEquals(honestRefused, []);
    assert(refused > 0, `Only ${refused} requests were refused.`);
    assert(
      abuse.begun <= HOSTILE * MAX_SESSIONS,
      `${abuse.begun} hostile sessions have begun.`,
    );
    // What they hold is bounded.
    for (let uri = 0; uri < 2 * MAX_SUBSCRIPTIONS; uri++) {
      const of = await sessions.info.getSubscriptions(`file:///${uri}`);
      assert(of.length <= (uri < MAX_SUBSCRIPTIONS ? abuse.begun : 0));
    }
  });
});

/** Does what a hostile client does, until the end. */
async function attack(
  sessions: InMemorySessions,
  principal: string,
  start: number,
  abuse: { isOver: boolean; begun: number },
): Promise<void> {
  const ids: string[] = [];
  const request = async (method: string, ...rest: [object?, object?]) => {
    const client = new TestClient(sessions, { principal });
    const [headers, body] = rest;
    const response = await client.request(method, { ...headers }, body);
    await response.body?.cancel();
    return response;
  };
  const initialize = (name: string) =>
    request("POST", {}, {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { clientInfo: { name, version: "1" }, capabilities: {} },
    });
  const header = (id: string) => ({ "mcp-session-id": id });
  const actions: (() => unknown)[] = [
    async () => {
      const response = await initialize("a");
      if (!response.ok) return;
      abuse.begun++;
      ids.push(response.headers.get("mcp-session-id")!);
    },
    () => initialize("x".repeat(2_000)),
    () => request("DELETE", header(crypto.randomUUID())),
    () => request("GET", header(crypto.randomUUID())),
    () => request("GET"),
    () => request("POST", header("a b"), {}),
    () => request("POST", {}, { text: "x".repeat(20_000) }),
    () =>
      request("GET", {
        ...header(ids[0] ?? "unknown"),
        "last-event-id": `${crypto.randomUUID().slice(0, 8)}-1`,
      }),
    async () => {
      const id = ids.at(-1);
      if (id === undefined) return;
      for (let uri = 0; uri < 2 * MAX_SUBSCRIPTIONS; uri++) {
        await Promise.resolve(
          sessions.info.addSubscription(id, `file:///${uri}`),
        )
          .catch(() => {});
      }
    },
  ];
  for (let at = start; !abuse.isOver; at++) {
    // All at once would measure how long one turn takes.
    await new Promise((resolve) => setTimeout(resolve, 1_000 + start % 1_000));
    await actions[at % actions.length]!();
  }
}
