import {
  testInfoSessionManager,
  testSessions,
  testStreamSessionManager,
  testSubscriptionManager,
} from "@crossmcp/session-manager/testing";
import { describe, it } from "node:test";
import { brokenGuards } from "./broken/guards.ts";
import { brokenExpiries } from "./broken/expiries.ts";
import { brokenInfo, leakingInfo } from "./broken/info.ts";
import { brokenLifetimes } from "./broken/lifetimes.ts";
import { brokenReplays } from "./broken/replays.ts";
import { brokenBacklogs, brokenKeepAlives } from "./broken/slow_readers.ts";
import { brokenStreams } from "./broken/streams.ts";
import { brokenSubscriptions } from "./broken/subscriptions.ts";
import { assertFailures, failures } from "./failures.ts";

/** How many tests of a suite run at once. */
const AT_ONCE = 4;

describe("the suites, given a fault,", () => {
  it("find that of every broken manager of streams", async () => {
    await assertFailures(
      { ...brokenStreams, ...brokenBacklogs, ...brokenKeepAlives },
      (Manager, pace) =>
        failures(
          testStreamSessionManager,
          (limits) => new Manager(limits),
          300,
          AT_ONCE,
          pace,
        ),
      {
        "counts before it waits": "S12",
        "counts duplicate ids": "S5",
        "counts texts for bytes": "S10",
        "counts the age from the last text": "S10",
        "counts the age from when all was read": "S10",
        "counts the bytes of a turn": "S8 S10",
        "counts what was read": "S10 S11",
        "cuts long texts": "S8",
        "ends the evicted as if nothing was lost": "S10",
        "evicts everyone": "S10",
        "evicts for no reason": "S10",
        "evicts in silence": "S10",
        "evicts nobody": "S10",
        "evicts twice": "S10",
        "forgets nobody": "S1 S4 S6 S10 S13",
        "gives a byte stream what the others hold": "S9",
        "is blinded by what a transport enqueues": "S10",
        "keeps alive after any line": "S11",
        "keeps alive inside frames": "S11",
        "keeps alive on top of what is unread": "S11",
        "keeps alive too often": "S11",
        "keeps alive with an id": "S11",
        "keeps alive with events": "S11",
        "keeps alive with half a line": "S11",
        "keeps broken streams": "S6",
        "keeps nobody alive": "S11",
        "keeps the busy alive": "S11",
        "keeps the evicted": "S6 S10",
        "leaves deleted streams open": "S2 S3 S5 S7 S9 S11 S13",
        "lets nothing get old": "S10",
        "lets the older stream drain": "S4",
        "lets the older stream drain, and deletes later": "S4",
        "opens again after close": "S13",
        "orphans the older stream": "S3 S4",
        "overtakes itself": "S7",
        "refuses a long text": "S8 S10",
        "stops at a broken stream": "S6 S13",
        "takes nobody for everyone": "S5",
        "takes the first size for that of an empty stream": "S10",
        "takes what a transport enqueues for its own": "S10",
        "writes Latin-1": "S8",
      },
    );
  });

  it("find that of every broken manager of metadata", async () => {
    // I10 takes long, and leaves no time for others.
    const mostOfIt: typeof testInfoSessionManager = (options) =>
      testInfoSessionManager({ ...options, supports: { I10: false } });
    await assertFailures(
      { ...brokenInfo, ...brokenExpiries },
      (Manager, pace) =>
        failures(
          mostOfIt,
          (limits) => new Manager(limits),
          2_000,
          AT_ONCE,
          pace,
        ),
      {
        "counts subscriptions": "I5",
        "cuts ids at colons": "I6",
        "deletes no level": "I7 I8",
        "folds case": "I6",
        "forgets what is read": "I8",
        "forgets what is written": "I8",
        "has a default level": "I3 I7 I8 I9",
        "has no limit": "I8",
        "keeps everything for ever": "I8",
        "keeps levels in an object": "I8 I9",
        "keeps the caller's object": "I2",
        "keeps the subscriptions of those it forgot": "I8",
        "knows seven levels": "I1",
        "merges instead of replacing": "I1",
        "takes any level": "I4",
        "throws in place": "I3",
        "waits between looking and counting": "I8",
      },
    );
    await assertFailures(
      leakingInfo,
      (Manager, pace) =>
        failures(
          testInfoSessionManager,
          (limits) => new Manager(limits),
          2_000,
          1,
          pace,
        ),
      {
        "leaves subscriptions behind": "I6 I7 I8 I9 I10",
        "loses one session in fifty thousand": "I10",
      },
      1,
    );
  });

  it("find that of every broken manager of subscriptions", async () => {
    await assertFailures(
      brokenSubscriptions,
      (Manager, pace) =>
        failures(
          testSubscriptionManager,
          (limits) => new Manager(limits),
          300,
          AT_ONCE,
          pace,
        ),
      {
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
      },
    );
  });

  it("find that of all broken sessions", async () => {
    await assertFailures(
      { ...brokenGuards, ...brokenReplays, ...brokenLifetimes },
      (create, pace) => failures(testSessions, create, 1_000, AT_ONCE, pace),
      {
        "adopts ids": "H2 H5 H6 I8",
        "answers every refusal in the same way": "H1 S12 S13",
        "breaks at NUL": "S18",
        "collects responses": "H6",
        "copies requests": "H6",
        "counts nothing": "H4 I8 S10 S15",
        "does not look at what came last": "H4 S10 S14 S15 S16 S17 S18",
        "drains all together": "S13",
        "drains at once": "S13",
        "drains in silence": "S13",
        "drains to the end": "S13",
        "drops returns": "S18",
        "ends a stream before there is another": "H3 H5 S13",
        "evicts in silence": "S10",
        "evicts nobody": "S10",
        "forbids what is another's": "H5",
        "forgets sessions with an open stream": "I8",
        "gives all events one id": "S14 S16 S17 S18",
        "gives an event its id when it has ended": "H4 S10 S14 S15 S16 S17 S18",
        "gives every other event an id": "S14 S15 S17 S18",
        "gives every reason for a reset": "S15 S17",
        "guards nothing":
          "H1 H2 H3 H4 H5 H6 I8 S10 S12 S13 S14 S15 S16 S17 S18",
        "guards the per-request era": "H6",
        "hands the header to the per-request era": "H6",
        "has no limit for sessions": "S12",
        "has no limit for streams": "S12",
        "is not disposed of": "S13",
        "keeps for too long": "S17",
        "keeps nothing": "H4 S10 S14 S15 S16 S17 S18",
        "keeps one event": "H4 S10 S14 S15 S16 S17 S18",
        "keeps other origins in the dark": "H2",
        "keeps sessions for ever": "I8",
        "keeps too many bytes": "S17",
        "keeps too many events": "S17",
        "knows whoever has metadata": "H2",
        "leaves a silent gap": "S15 S17",
        "leaves subscriptions open": "S13",
        "lets broadcasts overtake": "H3 H4 S14 S15 S16",
        "lets everyone into what nobody began": "H5",
        "loses what is sent while a client comes back": "S14",
        "reads bodies": "H6",
        "refuses a second stream": "H3 H5 S12 S13 S14 S15 S16 S17 S18",
        "refuses everything while it drains": "S13",
        "remembers what was deleted": "H2 S12",
        "replays one too few": "H4 S10 S14 S15 S16 S17 S18",
        "replays one too many": "H4 S10 S14 S15 S16 S17 S18",
        "replays to everyone what was for one": "S14 S15",
        "replays what was before a session": "S15",
        "resets everyone": "H4 S10 S14 S15 S16 S17 S18",
        "resets in silence": "S15",
        "resets without a position": "S15 S17",
        "says nothing with a refusal": "H1 H2 H5 I8 S12 S13",
        "sends twice what is sent while a client comes back": "S14",
        "takes every principal for the same": "H5",
        "takes no principal for every one": "H5",
        "tells every client its position in the same way": "S14",
        "tells nobody its position": "S14",
        "tells nobody when to come back": "S12",
        "trims": "S18",
        "waits for streams that do not come": "H3 I8 S12",
      },
    );
  });
});
