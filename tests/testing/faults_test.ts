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
import {
  brokenClientLimits,
  brokenInfoLimits,
  brokenSubscriptionLimits,
} from "./broken/limits.ts";
import { brokenOperations } from "./broken/operations.ts";
import { brokenReplacements } from "./broken/replacements.ts";
import { brokenReplays } from "./broken/replays.ts";
import { brokenBacklogs, brokenKeepAlives } from "./broken/slow_readers.ts";
import { brokenStreams } from "./broken/streams.ts";
import { brokenSubscriptions } from "./broken/subscriptions.ts";
import { brokenTransports } from "./broken/transports.ts";
import { assertFailures, failedBehaviours } from "./failed_behaviours.ts";

/** How many tests of one suite run concurrently. */
const CONCURRENCY = 4;
/** How many suites for sessions run concurrently: more would keep the CPU busy. */
const SUITES = 3;

describe("the contract suites", () => {
  it("find the fault of every broken stream manager", async () => {
    await assertFailures(
      { ...brokenStreams, ...brokenBacklogs, ...brokenKeepAlives },
      (Manager, pace) =>
        failedBehaviours(
          testStreamSessionManager,
          (limits) => new Manager(limits),
          300,
          CONCURRENCY,
          pace,
        ),
      {
        "accepts streams after close": "S13",
        "applies the byte limit within a turn": "S8 S10",
        "checks the limit before an await and counts after it": "S12",
        "closes a replaced stream without an error": "S4",
        "closes a replaced stream without an error, and deletes with a delay":
          "S4",
        "closes evicted streams without an error": "S10",
        "counts bytes that were read": "S10 S11",
        "counts frames instead of bytes": "S10",
        "counts nothing once a transport enqueues chunks": "S10",
        "counts the chunks of a transport as its own": "S10",
        "delivers frames out of order": "S7",
        "does not report evictions": "S10",
        "encodes frames as Latin-1": "S8",
        "evicts a reader for one large frame": "S8 S10",
        "evicts every stream instead of one": "S10",
        "ignores the age of unread frames": "S10",
        "keeps evicted streams": "S6 S10",
        "keeps failed streams": "S6",
        "leaves a replaced stream open": "S3 S4",
        "leaves deleted streams open": "S2 S3 S5 S7 S9 S11 S13",
        "measures the age of the newest unread frame": "S10",
        "measures the age since everything was read": "S10",
        "never evicts": "S10",
        "passes a shared buffer to byte streams": "S9",
        "reports age as the reason for every eviction": "S10",
        "reports deleted sessions as attached": "S1 S4 S6 S10 S13",
        "reports every eviction twice": "S10",
        "sends keep-alives after any line": "S11",
        "sends keep-alives as events": "S11",
        "sends keep-alives inside frames": "S11",
        "sends keep-alives to busy streams": "S11",
        "sends keep-alives to slow readers": "S11",
        "sends keep-alives too often": "S11",
        "sends keep-alives with an event ID": "S11",
        "sends keep-alives without a line end": "S11",
        "sends no keep-alives": "S11",
        "sends twice to a duplicate session ID": "S5",
        "stops a broadcast at a failed stream": "S6 S13",
        "takes the first desiredSize for the capacity": "S10",
        "treats an empty recipient list as a broadcast": "S5",
        "truncates long frames": "S8",
      },
    );
  });

  it("find the fault of every broken info session manager", async () => {
    // I10 takes so long that it would slow down the tests that run with it.
    const testWithoutI10: typeof testInfoSessionManager = (options) =>
      testInfoSessionManager({ ...options, supports: { I10: false } });
    await assertFailures(
      { ...brokenInfo, ...brokenExpiries, ...brokenInfoLimits },
      (Manager, pace) =>
        failedBehaviours(
          testWithoutI10,
          (limits) => new Manager(limits),
          2_000,
          CONCURRENCY,
          pace,
        ),
      {
        "accepts invalid log levels": "I4",
        "awaits between the limit check and the count": "I8",
        "counts characters instead of bytes": "L3",
        "counts repeated subscriptions": "I5 L2",
        "cuts data off that is too large": "I11",
        "does not count a read as use": "I8",
        "does not count an unchanged write as use": "I8",
        "ignores maxCapabilitiesBytes": "L3",
        "ignores maxClientInfoBytes": "L3",
        "ignores maxDataBytes": "I11",
        "ignores maxSessions": "I8 I11 L2 L3",
        "ignores maxSubscriptionsPerSession": "L2",
        "ignores maxUriBytes": "L2",
        "ignores the case of URIs": "I6",
        "keeps log levels in a plain object": "I8 I9",
        "keeps the data of a deleted session": "I11",
        "keeps the log level of a deleted session": "I7 I8",
        "keeps the subscriptions of expired sessions": "I8",
        "merges client info instead of replacing it": "I1",
        "never expires metadata": "I8",
        "returns a default log level": "I3 I7 I8 I9",
        "stores the caller's data without a copy": "I11",
        "stores the caller's object without a copy": "I2",
        "stores the level notice as info": "I1",
        "throws synchronously": "I3",
        "truncates session IDs at colons": "I6",
      },
    );
    await assertFailures(
      leakingInfo,
      (Manager, pace) =>
        failedBehaviours(
          testInfoSessionManager,
          (limits) => new Manager(limits),
          2_000,
          1,
          pace,
        ),
      {
        "keeps the subscriptions of deleted sessions": "I6 I7 I8 I9 I10",
        "loses one of 50,000 subscriptions": "I10",
      },
      1,
    );
  });

  it("find the fault of every broken subscription manager", async () => {
    await assertFailures(
      { ...brokenSubscriptions, ...brokenSubscriptionLimits },
      (Manager, pace) =>
        failedBehaviours(
          testSubscriptionManager,
          (limits) => new Manager(limits),
          300,
          CONCURRENCY,
          pace,
        ),
      {
        "calls close twice": "U3 U5 U6",
        "closes the subscriptions of every origin": "U5",
        "does not wait for send": "U4 U6 U7",
        "does not wait for the acknowledgement": "U1 U6 U8",
        "gives subscribers only 1 ms to close": "L4 U5",
        "ignores closeTimeoutMs": "L4 U6",
        "ignores maxPerOrigin": "L4",
        "ignores maxUris": "L4",
        "ignores the case of URIs": "L4 U2",
        "ignores the filters": "U2",
        "ignores the length of URIs": "L4",
        "ignores the origin": "L4 U3 U5",
        "keeps subscribers that reject the acknowledgement": "U8",
        "keeps subscribers that throw": "U7",
        "rejects when a subscriber throws": "U6 U7",
        "treats the IDs 1 and '1' as equal": "L4 U3 U5 U6",
      },
    );
  });

  it("find the fault of all broken sessions", async () => {
    await assertFailures(
      {
        ...brokenGuards,
        ...brokenReplays,
        ...brokenLifetimes,
        ...brokenTransports,
        ...brokenReplacements,
        ...brokenOperations,
        ...brokenClientLimits,
      },
      (create, pace) =>
        failedBehaviours(testSessions, create, 2_000, CONCURRENCY, pace),
      {
        "accepts a GET without a session ID": "H2 H9 L9 S19",
        "accepts a request without a principal for every session": "H5 H8",
        "accepts deleted sessions": "H2 H8 L5 O2 O5 P10 S12",
        "accepts every principal for a session without one": "H5",
        "accepts session IDs that clients invent":
          "H2 H5 H6 H8 H9 H11 H12 I8 L3 L9 O2 O3 O5",
        "accepts sessions that exist only as metadata": "H2",
        "applies sessions to 2026-07-28 requests": "H6 H12",
        "begins a session for every POST with an unknown session ID":
          "H2 H5 H6 H8 H9 H11 H12 I8 L3 L9 O2 O3 O5",
        "begins sessions whose client info was refused": "L3",
        "buffers whole responses": "H6 L7 O3 O4 P1 P2 P8 P9 P10",
        "calls onRefuse twice": "L5 L6 L7 L9",
        "counts an ended principal as one session": "O2",
        "counts every end twice": "O5",
        "counts only the subscriptions of one era": "O5",
        "counts sessions that have ended as known": "O5",
        "does not close when disposed": "S13",
        "does not report evictions": "S10",
        "does not report resets": "S15",
        "does not report that a session has begun": "O5",
        "does not report that a session has ended": "O2 O3 O5",
        "drains without a retry field": "S13",
        "drops broadcasts of a view while its client is away": "S19",
        "duplicates frames that are sent during a reconnect": "S14",
        "ends a stream before its replacement exists": "H3 H5 H15 P2 S13",
        "ends nothing for an invalid target": "O3",
        "ends only the metadata of a session": "O3",
        "ends the sessions of everyone": "O2",
        "expires sessions with an open stream": "I8 O2 O3 O5",
        "exposes no headers": "H10",
        "gives all events the same ID": "L8 S14 S16 S17 S18",
        "gives all views the same name": "S19",
        "gives every end the same reason": "O2 O3 O5",
        "gives every reset the same reason": "S15 S17",
        "gives only every other event an ID": "S14 S15 S17 S18",
        "guards nothing":
          "H1 H2 H3 H4 H5 H6 H8 H9 H10 H11 H12 H15 I8 L3 L5 L6 L7 L8 L9 O1 O2 O3 O4 O5 P1 P2 P8 P9 P10 S10 S12 S13 S14 S15 S16 S17 S18 S19",
        "ignores close during a drain": "S13",
        "ignores drainMs": "S13",
        "ignores Last-Event-ID": "H4 L8 P2 P8 P9 S10 S14 S15 S16 S17 S18 S19",
        "ignores maxBodyBytes": "H11 L6 L7 L9 P8",
        "ignores maxNewSessionsPerSecond": "L6",
        "ignores maxRequestsPerSession": "L7 P8",
        "ignores maxSessionsPerPrincipal": "L5",
        "ignores maxShare": "L8",
        "ignores maxStreamsPerPrincipal": "L7",
        "ignores the errors of callbacks": "O5",
        "ignores the limit of sessions": "H10 L3 L5 S12",
        "ignores the limit of streams": "S12",
        "ignores the principal": "H5 H8 L5 L6 L7 L9 O1 O2 O4 O5 P9",
        "keeps events for too long": "S17",
        "keeps no events":
          "H4 L8 O3 O4 P1 P2 P8 P9 P10 S10 S14 S15 S16 S17 S18 S19",
        "keeps only one event": "H4 L8 P2 S10 S14 S15 S16 S17 S18 S19",
        "keeps the stream of a rejected GET open": "H6 H9",
        "keeps too many bytes": "S17",
        "keeps too many events": "L8 S17 S19",
        "keeps waiting for streams that do not open": "H3 I8 S12 S19",
        "knows only 2026-07-28 as a revision without sessions": "H12",
        "leaves subscriptions open after close": "P10 S13",
        "lets broadcasts overtake targeted sends":
          "H3 H4 L8 O1 O2 P2 S14 S15 S16",
        "lets other notifications overtake those to a principal": "O1",
        "limits only bodies of a known length": "H11 L9",
        "lists a session twice": "O2 O4",
        "lists everyone instead of a principal": "O2",
        "lists no unread bytes": "O4",
        "lists only the first page": "O4",
        "loses frames that are sent during a reconnect": "S14",
        "never calls onRefuse": "L5 L6 L7 L9",
        "never evicts": "S10",
        "never expires a session": "I8 O5 P10",
        "never tells clients to reconnect later": "H15 S13",
        "notifies each client twice": "O1 O2",
        "notifies every session of every resource": "O1",
        "notifies everyone instead of a principal": "O1 O2",
        "notifies no subscriptions": "O1",
        "passes 2026-07-28 requests without a check": "H6 H12 L7",
        "passes a copy of the request": "H6 O3 P10",
        "primes every client as in 2025-11-25": "S14",
        "reads request bodies": "H6",
        "rejects a second stream":
          "H3 H5 H15 L8 P2 S12 S13 S14 S15 S16 S17 S18",
        "rejects all requests during a drain": "S13",
        "rejects every GET without a session ID": "H6 H9 L9 S19",
        "rejects initialize with an unknown session ID": "H8",
        "rejects requests for other paths": "H2 H6 H10 H13",
        "rejects the sessions of other principals with 403": "H5 H8 O3 O5 P9",
        "removes carriage returns": "S18",
        "removes Retry-After from rejections": "L5 L6 P8 S12",
        "removes the CORS header from rejections": "H2",
        "replaces NUL with a line break": "S18",
        "replaces the headers that the transport exposes": "H10",
        "replays events from before the session": "S15",
        "replays one event too few": "H4 L8 S10 S14 S15 S16 S17 S18 S19",
        "replays one event too many": "H4 L8 S10 S14 S15 S16 S17 S18 S19",
        "replays targeted frames to other sessions": "L8 S14 S15",
        "reports empty stats": "H4 I8 O5 S10 S15 S19",
        "reports every end twice": "O2 O3 O5",
        "resets every client that reconnects":
          "H4 L8 P2 P8 P9 S10 S14 S15 S16 S17 S18 S19",
        "resets without an event ID": "S15 S17",
        "sends anything as a notification": "O1",
        "sends broadcasts of a view to everyone": "S19",
        "sends no priming event": "S14",
        "sends rejections without a body":
          "H1 H2 H5 H8 H9 H10 H11 I8 L3 L5 L6 L7 O3 O4 P1 P2 P8 P9 P10 S12 S13",
        "skips missed events without a reset": "L8 P8 S15 S17 S19",
        "tells clients the same delay each time": "H15 S13",
        "tells every client to reconnect later": "H15 S13",
        "throws errors without a type": "H14",
        "trims the spaces of data": "S18",
        "uses 404 for every rejection":
          "H1 H2 H9 H10 H11 L3 L5 L6 L7 O3 O4 P1 P2 P8 P9 P10 S12 S13",
        "waits instead of draining": "S13",
        "writes the ID after the event": "H4 L8 P2 S10 S14 S15 S16 S17 S18 S19",
      },
      SUITES,
    );
  });
});
