import { InMemorySessions } from "@crossmcp/session-manager";
import { instrumentSessions } from "@crossmcp/session-manager/otel";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { beginSession, startGuarded } from "../e2e/support/guarded.ts";
import { engines } from "../e2e/support/serve.ts";
import { until } from "../e2e/support/until.ts";
import { assertAgrees, durationsOf } from "./support/expected_samples.ts";
import { PrometheusEndpoint } from "./support/prometheus_endpoint.ts";
import { makeTraffic, OPTIONS } from "./support/traffic.ts";

/** The buckets of the semantic conventions, in seconds. */
const BUCKETS = [
  ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
  Infinity,
];

for (const engine of engines) {
  describe(`instrumentSessions, on ${engine}`, () => {
    it("O5 a Prometheus endpoint agrees with stats() after real traffic", async () => {
      const startedAt = performance.now();
      await using endpoint = await PrometheusEndpoint.start();
      await using server = await startGuarded(engine, OPTIONS);
      const { sessions } = server;
      using _ = instrumentSessions(sessions, endpoint.meter());
      await using __ = await makeTraffic(server);
      const stats = await assertAgrees(endpoint, sessions);
      const { begun, ended, evicted, resets, replayed, subscriptions } = stats;
      assertEquals(ended, { deleted: 3, ended: 1, expired: 1 });
      assertEquals({ begun, sessions: stats.sessions }, {
        begun: 7,
        sessions: 2,
      });
      assertEquals(evicted, { bytes: 1, age: 0 });
      assertEquals(resets, { unknown: 1, purged: 0, future: 0 });
      assertEquals(replayed, 5);
      assertEquals(subscriptions, { resources: 3, listen: 1, notified: 10 });
      assert(stats.delivered > 20, `${stats.delivered} frames`);
      const { count, sum, buckets, labels } = (await durationsOf(endpoint))!;
      assertEquals(count, 5);
      // One of them has expired.
      const elapsed = (performance.now() - startedAt) / 1_000;
      assert(sum >= 1 && sum <= 5 * elapsed, `${sum} of ${elapsed} s`);
      assertEquals(buckets, BUCKETS);
      assertEquals(labels, { network_protocol_name: "http" });
    });
  });
}

describe("instrumentSessions", () => {
  it("O5 more sessions make no more time series, and none has a session ID", async () => {
    await using endpoint = await PrometheusEndpoint.start();
    await using server = await startGuarded(engines[0]!);
    const { sessions, httpUrl } = server;
    using _ = instrumentSessions(sessions, endpoint.meter());
    const series = async () =>
      (await endpoint.text()).split("\n").map((line) =>
        line.replace(/ \S+$/, "")
      );
    const first = await beginSession(httpUrl);
    await sessions.end({ session: first });
    const before = await series();
    const ids = await Promise.all(
      Array.from(
        { length: 50 },
        (_, at) => beginSession(httpUrl, { "x-user": `user ${at}` }),
      ),
    );
    for (const id of ids.slice(1)) await sessions.info.delete(id);
    assertEquals(await series(), before);
    const text = await endpoint.text();
    for (const id of [first, ...ids]) assert(!text.includes(id), id);
    assertEquals((await durationsOf(endpoint))!.count, 50);
  });

  it("O5 a duration is the time from the beginning to the end", async () => {
    await using endpoint = await PrometheusEndpoint.start();
    await using server = await startGuarded(engines[0]!);
    const { sessions, httpUrl } = server;
    using _ = instrumentSessions(sessions, endpoint.meter());
    const startedAt = performance.now();
    const session = await beginSession(httpUrl);
    const begunAt = performance.now();
    await until(
      () => performance.now() - begunAt >= 100,
      "the session to last",
    );
    await sessions.end({ session });
    const { count, sum } = (await durationsOf(endpoint))!;
    const elapsed = (performance.now() - startedAt) / 1_000;
    assertEquals(count, 1);
    // The clock of the session counts whole milliseconds.
    assert(sum >= 0.098 && sum <= elapsed + 0.002, `${sum} of ${elapsed} s`);
  });

  it("nothing is recorded or read after dispose", async () => {
    await using endpoint = await PrometheusEndpoint.start();
    await using server = await startGuarded(engines[0]!);
    const { sessions, httpUrl } = server;
    const instrumentation = instrumentSessions(sessions, endpoint.meter());
    const [first, second] = [
      await beginSession(httpUrl),
      await beginSession(httpUrl),
    ];
    await sessions.end({ session: first });
    await assertAgrees(endpoint, sessions);
    let calls = 0;
    const stats = sessions.stats.bind(sessions);
    sessions.stats = () => {
      calls++;
      return stats();
    };
    await endpoint.scrape();
    assertEquals(calls, 1);
    instrumentation.dispose();
    instrumentation.dispose();
    await sessions.end({ session: second });
    await endpoint.scrape();
    assertEquals(calls, 1);
    assertEquals((await durationsOf(endpoint))!.count, 1);
  });

  it("arguments of the wrong type are refused", async () => {
    await using endpoint = await PrometheusEndpoint.start();
    await using sessions = new InMemorySessions();
    const meter = endpoint.meter();
    const error = { name: "InvalidArgumentError" };
    for (const wrong of [undefined, null, 1, {}, { stats: () => ({}) }]) {
      const thrown = assertThrows(() =>
        instrumentSessions(wrong as unknown as InMemorySessions, meter)
      ) as Error;
      assertEquals(thrown.name, error.name);
      assert(thrown.message.startsWith('"sessions" must be'), thrown.message);
    }
    for (const wrong of [undefined, null, {}, { createHistogram: () => {} }]) {
      const thrown = assertThrows(() =>
        instrumentSessions(sessions, wrong as unknown as typeof meter)
      ) as Error;
      assertEquals(thrown.name, error.name);
      assert(thrown.message.includes("getMeter"), thrown.message);
    }
    const text = await endpoint.text();
    assert(!text.includes("crossmcp_"), "Instruments were created.");
  });
});
