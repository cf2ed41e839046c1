import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type {
  ClusterCase,
  ClusterContext,
} from "../../support/cluster_context.ts";
import type { TestableClusterNode } from "../../support/cluster_node.ts";
import { TestClient, type TestEvents } from "../../support/test_client.ts";

const REPLAY = { streams: { replay: {} } };
/** Time to receive something a second time. */
const PAUSE_MS = 50;

/** Requests whose client talks to other nodes than the one that answers. */
export const clusterRequestCases: readonly ClusterCase[] = [
  {
    behaviour: "P4",
    name: "a request that was cut off is resumed on any node",
    run: async (context) => {
      const { within } = context;
      const nodes = await context.addNodes(3, REPLAY);
      const clients = await clientsOf(nodes, context);
      const { events, call } = await within(clients[0]!.work(5), "a response");
      let { lastEventId } = await within(events.first(), "the first event");
      await events.cancel();
      for (let number = 0; number < 12; number++) {
        const client = clients[number % clients.length]!;
        // Sent before, and while, the client is connected.
        call.send(note(2 * number));
        const resumed = await within(client.listen(lastEventId), "a response");
        const [first] = await within(resumed.take(), "what was missed");
        call.send(note(2 * number + 1));
        const [second] = await within(resumed.take(), "what came then");
        deepStrictEqual(
          [first!.data, second!.data],
          [textOf(note(2 * number)), textOf(note(2 * number + 1))],
        );
        ({ lastEventId } = second!);
        await resumed.cancel();
      }
      const last = await within(clients[1]!.listen(lastEventId), "a response");
      call.finish({ done: true });
      deepStrictEqual(await within(last.end(), "the end"), {
        ended: "closed",
        data: [RESULT],
      });
      // It is kept, also for those who come later.
      const late = await within(clients[2]!.listen(lastEventId), "a response");
      const [result] = await within(late.take(), "the response");
      const rest = await within(late.end(), "the end");
      deepStrictEqual([result!.data, ...rest.data], [RESULT]);
      // Then there is nothing left.
      await assertComplete(context, clients, result!.lastEventId);
    },
  },
  {
    behaviour: "P4",
    name: "a slow client of another node slows down nobody else",
    run: async (context) => {
      const { within } = context;
      const nodes = await context.addNodes(3, REPLAY);
      const [here, there] = await clientsOf(nodes, context);
      const slow = await within(here!.work(5), "a response");
      const { lastEventId } = await within(slow.events.first(), "an ID");
      await slow.events.cancel();
      // Read by nobody yet, and more than may be sent without being read.
      const resumed = await within(there!.listen(lastEventId), "a response");
      const padding = "x".repeat(10_000);
      for (let number = 0; number < 50; number++) {
        slow.call.send({ ...note(number), padding });
      }
      const quick = await within(there!.work(6), "another response");
      quick.call.finish({ done: true });
      await within(quick.events.end(), "the other response");
      slow.call.finish({ done: true });
      const { data } = await within(resumed.end(), "everything");
      strictEqual(data.length, 51);
      strictEqual(data.at(-1), RESULT);
    },
  },
  {
    behaviour: "P4",
    name: "the node that a client was connected to dies",
    requires: "kill",
    run: async (context) => {
      const { within, kill } = context;
      const nodes = await context.addNodes(3, REPLAY);
      const clients = await clientsOf(nodes, context);
      const { events, call } = await within(clients[0]!.work(5), "a response");
      let { lastEventId } = await within(events.first(), "the first event");
      await events.cancel();
      const before = await within(clients[1]!.listen(lastEventId), "it");
      call.send(note(0));
      const [event] = await within(before.take(), "a message");
      ({ lastEventId } = event!);
      await kill(nodes[1]!);
      call.send(note(1));
      const after = await within(clients[2]!.listen(lastEventId), "it");
      call.finish({ done: true });
      deepStrictEqual((await within(after.end(), "the rest")).data, [
        textOf(note(1)),
        RESULT,
      ]);
    },
  },
  {
    behaviour: "P5",
    name: "the node that works on a request dies, and the client gets an error",
    requires: "kill",
    run: async (context) => {
      const { within, kill } = context;
      const nodes = await context.addNodes(3, {
        ...REPLAY,
        cluster: { heartbeatMs: 50, requestTimeoutMs: 200 },
      });
      const clients = await clientsOf(nodes, context);
      const { events, call } = await within(clients[0]!.work(5), "a response");
      const { lastEventId } = await within(events.first(), "the first event");
      const connected = await within(clients[1]!.listen(lastEventId), "it");
      call.send(note(0));
      await within(connected.take(), "a message");
      await kill(nodes[0]!);
      assertError(await within(connected.end(), "an error"));
      const late = await within(clients[2]!.listen(lastEventId), "a response");
      // Where events outlive their node, the message comes first.
      let [last] = await within(late.take(), "an event");
      if (last!.data === textOf(note(0))) {
        [last] = await within(late.take(), "an error");
      }
      const { ended, data } = await within(late.end(), "the end");
      assertError({ ended, data: [last!.data, ...data] });
      // A client that asks again must not wait, and not get it twice.
      const alive = clients.slice(1);
      await assertComplete(context, alive, last!.lastEventId);
    },
  },
  {
    behaviour: "P5",
    name: "a response that the transport cannot finish ends with an error",
    run: async (context) => {
      const { within } = context;
      const nodes = await context.addNodes(3, REPLAY);
      const clients = await clientsOf(nodes, context);
      const { events, call } = await within(clients[0]!.work(5), "a response");
      const { lastEventId } = await within(events.first(), "the first event");
      call.send(note(0));
      call.fail();
      assertError(await within(events.end(), "an error"));
      for (const client of clients) {
        const late = await within(client.listen(lastEventId), "a response");
        assertError(await within(late.end(), "an error"));
      }
    },
  },
  {
    behaviour: "P6",
    name: "a client's response reaches the node that waits for it, once",
    run: (context) => testDelivery(context, "response"),
  },
  {
    behaviour: "P7",
    name: "cancellations and progress reach the node that they are for",
    run: async (context) => {
      await testDelivery(context, "cancelled");
      await testDelivery(context, "progress");
    },
  },
];

const RESULT = textOf({ id: 5, result: { done: true } });

/** Sends a message to each node; one of them waits for it. */
async function testDelivery(
  context: ClusterContext,
  kind: "response" | "cancelled" | "progress",
): Promise<void> {
  const { within, waitUntil } = context;
  for (const options of [REPLAY, {}]) {
    const cluster = `test ${crypto.randomUUID()}`;
    const nodes = await context.addNodes(3, options, cluster);
    const clients = await clientsOf(nodes, context);
    for (const [index, sender] of clients.entries()) {
      const waiting = await within(clients[0]!.work(5), "a response");
      // Another request of the session, which does not wait for it.
      const other = await within(clients[1]!.work(6), "a response");
      const id = `question ${index}`;
      waiting.call.send({
        id,
        method: "sampling/createMessage",
        params: { _meta: { progressToken: id } },
      });
      await within(waiting.events.take(), "the question");
      const message = {
        response: { id, result: { text: "pong" } },
        cancelled: {
          method: "notifications/cancelled",
          params: { requestId: 5 },
        },
        progress: {
          method: "notifications/progress",
          params: { progressToken: id, progress: 1 },
        },
      }[kind];
      strictEqual(await within(sender.post(message), "a status"), 202);
      await waitUntil(
        () => clients.some(({ transport }) => transport.received.length > 0),
        "the message to arrive",
      );
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const received = clients.map(({ transport }) =>
        transport.received.splice(0)
      );
      deepStrictEqual(received, [[{ jsonrpc: "2.0", ...message }], [], []]);
      // Nobody waits for this: it is the matter of the node that got it.
      const unknown = { id: "nobody asked", result: {} };
      strictEqual(await within(sender.post(unknown), "a status"), 202);
      strictEqual(sender.transport.received.splice(0).length, 1);
      for (const { call, events } of [waiting, other]) {
        call.finish({ done: true });
        await within(events.end(), "the end");
      }
    }
    for (const node of nodes) strictEqual(node.stats().openRequests, 0);
  }
}

/** Begins a session; returns a client of it for each node. */
async function clientsOf(
  nodes: readonly TestableClusterNode[],
  { within }: ClusterContext,
): Promise<TestClient[]> {
  const begun = TestClient.begin(nodes[0]!, { principal: "alice" });
  const { id } = await within(begun, "a session");
  return nodes.map((node) => new TestClient(node, { id, principal: "alice" }));
}

/** Asserts that no node has more for a client. */
async function assertComplete(
  { within }: ClusterContext,
  clients: readonly TestClient[],
  lastEventId: string,
): Promise<void> {
  ok(lastEventId, "The last event has no ID");
  for (const client of clients) {
    const headers = { "last-event-id": lastEventId };
    const response = await within(client.request("GET", headers), "an answer");
    strictEqual(response.status, 204);
  }
}

function assertError(
  { ended, data }: Awaited<ReturnType<TestEvents["end"]>>,
): void {
  strictEqual(ended, "closed");
  const { id, error } = JSON.parse(data.at(-1) ?? "{}");
  strictEqual(id, 5);
  ok(Number.isSafeInteger(error?.code), "No error for the request");
}

function note(number: number): object {
  return { method: "notifications/progress", params: { number } };
}

function textOf(message: object): string {
  return JSON.stringify({ jsonrpc: "2.0", ...message });
}
