import { LossyNetwork } from "@crossmcp/session-manager/testing";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { ClusterNode } from "../../src/cluster/membership/cluster_node.ts";
import { resolveClusterOptions } from "../../src/cluster/membership/options.ts";
import {
  type ForwardHandler,
  RequestForwarder,
} from "../../src/cluster/forwarding/request_forwarder.ts";
import { until, within } from "../e2e/support/until.ts";

const CALL = {
  purpose: "resume",
  session: "s",
  lastEventId: "id",
  prime: true,
} as const;
const WINDOW = 65_536;

/** Two nodes; the second one answers the requests of the first. */
async function startNodes(handler: ForwardHandler, dropRate = 0) {
  const network = new LossyNetwork({ seed: 1, dropRate });
  const nodes = ["a", "b"].map((node) =>
    new ClusterNode(
      network.bus("forwarding"),
      resolveClusterOptions({ node, heartbeatMs: 20, requestTimeoutMs: 200 }),
      undefined,
    )
  );
  const [caller] = nodes.map((node) => new RequestForwarder(node, handler));
  for (const node of nodes) node.start();
  await until(
    () => nodes.every(({ others }) => others.length === 1),
    "the nodes to know each other",
  );
  return {
    caller: caller!,
    kill: () => network.stop("b"),
    [Symbol.asyncDispose]: async () => {
      for (const node of nodes) await node.close();
    },
  };
}

describe("RequestForwarder", () => {
  it("returns status, headers and body, although messages are lost", async () => {
    const body = "caf\u00e9 \u{1F600}\n".repeat(20_000);
    await using nodes = await startNodes((call) => {
      assertEquals(call, CALL);
      const headers = { "x-test": "1" };
      return Promise.resolve(new Response(body, { status: 203, headers }));
    }, 0.1);
    const response = await nodes.caller.forward("b", CALL);
    assertEquals(response?.status, 203);
    assertEquals(response?.headers.get("x-test"), "1");
    assertEquals(await response?.text(), body);
  });

  it("tells whether the whole body is here", async () => {
    let end = () => {};
    const responses = [
      new Response("done"),
      new Response(null, { status: 202 }),
      new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode("do"));
            end = () => {
              controller.enqueue(new TextEncoder().encode("ne"));
              controller.close();
            };
          },
        }),
      ),
    ];
    await using nodes = await startNodes(() =>
      Promise.resolve(responses.shift())
    );
    for (
      const [isComplete, text] of [[true, "done"], [true, ""], [false, "done"]]
    ) {
      const result = await nodes.caller.tryForward("b", CALL);
      assert(result.response !== undefined);
      assertEquals(result.isComplete, isComplete);
      if (!isComplete) end();
      assertEquals(await result.response.text(), text);
    }
  });

  it("returns undefined if the other node can't answer", async () => {
    await using nodes = await startNodes(() => Promise.resolve(undefined));
    assertEquals(await nodes.caller.forward("b", CALL), undefined);
  });

  it("does not send more than the caller reads", async () => {
    let sent = 0;
    const chunk = new TextEncoder().encode("x".repeat(1_000));
    await using nodes = await startNodes(() =>
      Promise.resolve(
        new Response(
          new ReadableStream({
            pull(controller) {
              sent += chunk.length;
              controller.enqueue(chunk);
            },
          }),
        ),
      )
    );
    const response = await nodes.caller.forward("b", CALL);
    const reader = response!.body!.getReader();
    let read = 0;
    for (let round = 0; round < 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert(sent >= read + WINDOW / 2, `Only ${sent} bytes were sent.`);
      assert(sent <= read + WINDOW + 10_000, `${sent} bytes were sent.`);
      while (read < sent - 10_000) read += (await reader.read()).value!.length;
    }
    await reader.cancel();
  });

  it("cancels the response that nobody reads", async () => {
    let isCancelled = false;
    await using nodes = await startNodes(() =>
      Promise.resolve(
        new Response(
          new ReadableStream({ cancel: () => void (isCancelled = true) }),
        ),
      )
    );
    const response = await nodes.caller.forward("b", CALL);
    await response!.body!.cancel();
    await until(() => isCancelled, "the cancellation");
  });

  it("fails the body if the other node dies", async () => {
    await using nodes = await startNodes(() =>
      Promise.resolve(new Response(new ReadableStream()))
    );
    const response = await nodes.caller.forward("b", CALL);
    nodes.kill();
    const failure = within(response!.text(), "the failure");
    await assertRejects(() => failure, Error, '"b"');
  });

  it("returns undefined if the other node dies before it answers", async () => {
    await using nodes = await startNodes(() => new Promise(() => {}));
    const response = nodes.caller.forward("b", CALL);
    nodes.kill();
    assertEquals(await within(response, "an answer"), undefined);
  });
});
