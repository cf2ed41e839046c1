import {
  InMemoryInfoSessionManager,
  InMemorySessions,
  InMemoryStreamSessionManager,
  InMemorySubscriptionManager,
  type SessionsOptions,
} from "@crossmcp/session-manager";
import {
  type SessionsSuiteOptions,
  testInfoSessionManager,
  testSessions,
  testStreamSessionManager,
  testSubscriptionManager,
} from "@crossmcp/session-manager/testing";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import * as tmcp from "@tmcp/session-manager";
import { PlainStreams } from "./broken/plain_streams.ts";
import {
  assertFailures,
  failedBehaviours,
  type Pace,
} from "./failed_behaviours.ts";

type GuardArguments = Parameters<InMemorySessions["guard"]>;

describe("the contract suites", () => {
  it("pass for the managers of this package", async () => {
    assertEquals(
      await failedBehaviours(
        testStreamSessionManager,
        (limits) => new InMemoryStreamSessionManager(limits),
      ),
      [],
    );
    assertEquals(
      await failedBehaviours(
        testInfoSessionManager,
        (limits) => new InMemoryInfoSessionManager(limits),
      ),
      [],
    );
    assertEquals(
      await failedBehaviours(
        testSubscriptionManager,
        (limits) => new InMemorySubscriptionManager(limits),
      ),
      [],
    );
    assertEquals(
      await failedBehaviours(
        testSessions,
        (options) => new InMemorySessions(options),
      ),
      [],
    );
  });

  it("report what @tmcp/session-manager 0.3.0 does not support", async () => {
    const managers = {
      streams: (pace: Pace) =>
        failedBehaviours(
          testStreamSessionManager,
          () => new tmcp.InMemoryStreamSessionManager(),
          300,
          4,
          pace,
        ),
      info: (pace: Pace) =>
        failedBehaviours(
          testInfoSessionManager,
          () => new tmcp.InMemoryInfoSessionManager(),
          2_000,
          1,
          pace,
        ),
      subscriptions: (pace: Pace) =>
        failedBehaviours(
          testSubscriptionManager,
          () => new tmcp.InMemorySubscriptionManager(),
          300,
          4,
          pace,
        ),
    };
    await assertFailures(
      managers,
      (failedBehavioursOf, pace) => failedBehavioursOf(pace),
      {
        streams: "S3 S4 S9 S10 S11 S12 S13",
        info: "I2 I3 I4 I8 I11 L2 L3",
        subscriptions: "U2 U5 U6 U7 L4",
      },
    );
  });

  it("pass for a manager written from scratch", async () => {
    assertEquals(
      await failedBehaviours(
        testStreamSessionManager,
        (limits) => new PlainStreams(limits),
      ),
      [],
    );
  });

  it("detect whether another node knows a session (H7)", async () => {
    const create = (options: SessionsOptions) => new InMemorySessions(options);
    const nodes: Record<string, SessionsSuiteOptions["createNode"]> = {
      "is the same node": (other) => other,
      "shares nothing": (_, options) => create(options),
      "shares only streams": ({ streams }, options) =>
        Object.assign(create(options), { streams }),
      "shares only metadata": ({ info }, options) =>
        Object.assign(create(options), { info }),
      "resets clients of another node": (other) =>
        Object.assign(Object.create(other), {
          guard: (...[request, respond, options]: GuardArguments) => {
            const headers = new Headers(request.headers);
            if (headers.has("last-event-id")) {
              headers.set("last-event-id", "elsewhere");
            }
            const altered = new Request(request, { headers });
            return other.guard(altered, respond, options);
          },
          close: () => other.close(),
        }),
    };
    const failedBehavioursOf = (
      createNode: SessionsSuiteOptions["createNode"],
      pace: Pace,
    ) => {
      const suite: typeof testSessions = ({ test, ...options }) =>
        testSessions({
          ...options,
          createNode,
          test: (name, run) => name.startsWith("H7 ") && test(name, run),
        });
      return failedBehaviours(suite, create, 1_000, 1, pace);
    };
    await assertFailures(nodes, failedBehavioursOf, {
      "is the same node": "",
      "shares nothing": "H7",
      "shares only streams": "H7",
      "shares only metadata": "H7",
      "resets clients of another node": "H7",
    });
  });

  it("skip what a manager does not support", () => {
    const tested: string[] = [];
    const skipped: string[] = [];
    testStreamSessionManager({
      test: (name) => tested.push(name),
      skip: (name) => skipped.push(name),
      create: () => new InMemoryStreamSessionManager(),
      supports: { S12: false, S13: true },
    });
    const numbers = (names: string[]) =>
      [...new Set(names.map((name) => name.split(" ", 1)[0]!))].join(" ");
    assertEquals(numbers(tested), "S1 S2 S3 S4 S13 S5 S6 S8 S9 S7 S10 S11");
    assertEquals(numbers(skipped), "S12");
  });
});
