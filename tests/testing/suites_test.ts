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
import { assertFailures, failures, type Pace } from "./failures.ts";

type GuardArguments = Parameters<InMemorySessions["guard"]>;

describe("the suites", () => {
  it("fail nothing for the managers of this package", async () => {
    assertEquals(
      await failures(
        testStreamSessionManager,
        (limits) => new InMemoryStreamSessionManager(limits),
      ),
      [],
    );
    assertEquals(
      await failures(
        testInfoSessionManager,
        (limits) => new InMemoryInfoSessionManager(limits),
      ),
      [],
    );
    assertEquals(
      await failures(
        testSubscriptionManager,
        (limits) => new InMemorySubscriptionManager(limits),
      ),
      [],
    );
    assertEquals(
      await failures(testSessions, (options) => new InMemorySessions(options)),
      [],
    );
  });

  it("tell what @tmcp/session-manager 0.3.0 does not show", async () => {
    const managers = {
      streams: (pace: Pace) =>
        failures(
          testStreamSessionManager,
          () => new tmcp.InMemoryStreamSessionManager(),
          300,
          4,
          pace,
        ),
      info: (pace: Pace) =>
        failures(
          testInfoSessionManager,
          () => new tmcp.InMemoryInfoSessionManager(),
          2_000,
          1,
          pace,
        ),
      subscriptions: (pace: Pace) =>
        failures(
          testSubscriptionManager,
          () => new tmcp.InMemorySubscriptionManager(),
          300,
          4,
          pace,
        ),
    };
    await assertFailures(managers, (failuresOf, pace) => failuresOf(pace), {
      streams: "S3 S4 S9 S10 S11 S12 S13",
      info: "I2 I3 I4 I8",
      subscriptions: "U2 U5 U6 U7",
    });
  });

  it("pass a manager written from scratch", async () => {
    assertEquals(
      await failures(
        testStreamSessionManager,
        (limits) => new PlainStreams(limits),
      ),
      [],
    );
  });

  it("tell whether another node knows of a session", async () => {
    const create = (options: SessionsOptions) => new InMemorySessions(options);
    const nodes: Record<string, SessionsSuiteOptions["createNode"]> = {
      "is the same node": (beside) => beside,
      "knows of nothing": (_, options) => create(options),
      "knows of streams alone": ({ streams }, options) =>
        Object.assign(create(options), { streams }),
      "knows of metadata alone": ({ info }, options) =>
        Object.assign(create(options), { info }),
      "resets clients of another node": (beside) =>
        Object.assign(Object.create(beside), {
          guard: (...[request, respond, options]: GuardArguments) => {
            const headers = new Headers(request.headers);
            if (headers.has("last-event-id")) {
              headers.set("last-event-id", "elsewhere");
            }
            const altered = new Request(request, { headers });
            return beside.guard(altered, respond, options);
          },
          close: () => beside.close(),
        }),
    };
    const failuresOf = (
      createNode: SessionsSuiteOptions["createNode"],
      pace: Pace,
    ) => {
      const suite: typeof testSessions = ({ test, ...options }) =>
        testSessions({
          ...options,
          createNode,
          test: (name, run) => name.startsWith("H7 ") && test(name, run),
        });
      return failures(suite, create, 1_000, 1, pace);
    };
    await assertFailures(nodes, failuresOf, {
      "is the same node": "",
      "knows of nothing": "H7",
      "knows of streams alone": "H7",
      "knows of metadata alone": "H7",
      "resets clients of another node": "H7",
    });
  });

  it("leave out what a manager does not support, visibly if asked", () => {
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
