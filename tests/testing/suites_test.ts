import {
  InMemoryInfoSessionManager,
  InMemoryStreamSessionManager,
  InMemorySubscriptionManager,
} from "@crossmcp/session-manager";
import {
  testInfoSessionManager,
  testStreamSessionManager,
  testSubscriptionManager,
} from "@crossmcp/session-manager/testing";
import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import * as tmcp from "@tmcp/session-manager";
import { brokenInfo } from "./broken/info.ts";
import { brokenStreams, PlainStreams } from "./broken/streams.ts";
import { brokenSubscriptions } from "./broken/subscriptions.ts";
import { failures } from "./failures.ts";

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
        () => new InMemoryInfoSessionManager(),
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
  });

  it("tell what @tmcp/session-manager 0.3.0 does not show", async () => {
    assertEquals(
      await failures(
        testStreamSessionManager,
        () => new tmcp.InMemoryStreamSessionManager(),
      ),
      ["S3", "S4", "S9", "S12", "S13"],
    );
    assertEquals(
      await failures(
        testInfoSessionManager,
        () => new tmcp.InMemoryInfoSessionManager(),
      ),
      ["I2", "I3", "I4"],
    );
    assertEquals(
      await failures(
        testSubscriptionManager,
        () => new tmcp.InMemorySubscriptionManager(),
        300,
      ),
      ["U2", "U5", "U6", "U7"],
    );
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

  it("find the fault of every broken manager of streams", async () => {
    const found: Record<string, string> = {};
    for (const [fault, Manager] of Object.entries(brokenStreams)) {
      found[fault] = (await failures(
        testStreamSessionManager,
        (limits) => new Manager(limits),
        300,
      )).join(" ");
    }
    assertEquals(found, {
      "counts before it waits": "S12",
      "counts duplicate ids": "S5",
      "cuts long texts": "S8",
      "forgets nobody": "S1 S4 S6 S13",
      "gives a byte stream what the others hold": "S9",
      "keeps broken streams": "S6",
      "leaves deleted streams open": "S2 S3 S5 S9 S13",
      "lets the older stream drain": "S4",
      "lets the older stream drain, and deletes later": "S4",
      "opens again after close": "S13",
      "orphans the older stream": "S3 S4",
      "overtakes itself": "S7",
      "stops at a broken stream": "S6 S13",
      "takes nobody for everyone": "S5",
      "writes Latin-1": "S8",
    });
  });

  it("find the fault of every broken manager of metadata", async () => {
    const found: Record<string, string> = {};
    for (const [fault, Manager] of Object.entries(brokenInfo)) {
      found[fault] = (await failures(testInfoSessionManager, () =>
        new Manager())).join(" ");
    }
    assertEquals(found, {
      "counts subscriptions": "I5",
      "cuts ids at colons": "I6",
      "deletes no level": "I7",
      "folds case": "I6",
      "has a default level": "I3 I7 I9",
      "keeps levels in an object": "I9",
      "keeps the caller's object": "I2",
      "knows seven levels": "I1",
      "leaves subscriptions behind": "I6 I7 I9 I10",
      "loses one session in fifty thousand": "I10",
      "merges instead of replacing": "I1",
      "takes any level": "I4",
      "throws in place": "I3",
    });
  });

  it("find the fault of every broken manager of subscriptions", async () => {
    const found: Record<string, string> = {};
    for (const [fault, Manager] of Object.entries(brokenSubscriptions)) {
      found[fault] = (await failures(
        testSubscriptionManager,
        (limits) => new Manager(limits),
        300,
      )).join(" ");
    }
    assertEquals(found, {
      "closes at once": "U5",
      "closes every origin": "U5",
      "closes twice": "U3 U5 U6",
      "delivers two at once": "U4 U6 U7",
      "does not wait for the acknowledgement": "U1 U6 U8",
      "folds the case of URIs": "U2",
      "has one origin": "U3 U5",
      "ignores the filter": "U2",
      "keeps what throws": "U7",
      "overlooks a refusal": "U8",
      "rejects for what throws": "U6 U7",
      "takes 1 for '1'": "U3 U5 U6",
      "waits forever": "U6",
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
    assertEquals(numbers(tested), "S1 S2 S3 S4 S13 S5 S6 S7 S8 S9");
    assertEquals(numbers(skipped), "S12");
  });
});
