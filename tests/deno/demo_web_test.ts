import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertNotEquals,
} from "@std/assert";
import { after, before, it } from "node:test";
import { describeBrowser } from "../e2e/support/browser.ts";
import { hasRedis } from "../redis/support/redis_server.ts";
import { DemoPage, type DemoState } from "./support/demo_page.ts";

const KINDS = [
  { name: "workers", args: [], nodes: 4 },
  { name: "processes over Redis", args: ["--redis"], nodes: 3 },
];

for (const { name, args, nodes } of KINDS) {
  describeBrowser(`The page of the demo, ${name}`, () => {
    const isShared = args.length > 0;
    if (isShared && !hasRedis) {
      return it.skip("needs redis-server on the PATH", () => {});
    }

    let page: DemoPage;
    before(async () => {
      page = await DemoPage.open(args);
    });
    after(async () => {
      await page?.close(); // if the last test has not
    });

    it("shows nodes, sessions and its own stream", async () => {
      await page.until(
        async () => await page.count("#received") > 0,
        "the first numbered message",
      );
      await page.until(
        async () => (await page.figures()).sessions! > 1,
        "sessions of other clients",
      );
      const names = await page.attributes("#nodes tr", "data-node");
      assertEquals(names.length, nodes);
      assert(names.includes(await page.text("#own-node")));
      const labels = await page.attributes("svg[role=img]", "aria-label");
      assert(labels.every((label) => label !== null && label !== ""));
    });

    it("receives what is sent to all, and to itself", async () => {
      for (const [button, count] of [["#send-all", 1], ["#send-one", 2]]) {
        await page.press(button as string);
        await page.until(
          async () => await page.count("#notice-count") === count,
          `notification ${count}`,
        );
      }
    });

    it("misses nothing when its node is killed, and brings that back", async () => {
      const node = await page.text("#own-node");
      await page.press("#kill-own");
      await page.until(
        async () => await status(node) === "stopped",
        "the end of the node",
      );
      await page.until(
        async () => !["none", node].includes(await page.text("#own-node")),
        "a stream on another node",
      );
      const { sent } = await received();
      await page.until(async () => {
        const now = await received();
        return now.received > sent && now.missing === 0;
      }, "all that was sent meanwhile, and more");
      // Over Redis, everything is replayed. Workers lose it with the node, and
      // the page reads it again.
      const lost = await page.count("#read");
      if (isShared) assertEquals(lost, 0);

      await page.press(`tr[data-node="${node}"] button`);
      await page.until(
        async () => await status(node) === "running",
        "the node to run again",
      );
      await page.until(async () => {
        const streams = `tr[data-node="${node}"] [data-cell="streams"]`;
        return await page.count(streams) > 0;
      }, "streams on that node");
    });

    it("shows that a stalled reader is evicted", async () => {
      const { evicted } = await page.figures();
      await page.press("#stall");
      await page.until(
        async () => (await page.figures()).evicted! > evicted!,
        "an eviction",
      );
    });

    it("shows the sum of stats()", async () => {
      await page.press("#pause");
      let shown: unknown, expected: unknown;
      await page.until(
        async () => {
          const state = await page.state();
          const { at, ...figures } = await shownFigures();
          const { clients, sessions } = state.sample;
          // The page has a session, too. Over Redis, a node counts the sessions
          // that it has served, so one that moved counts twice.
          const isQuiet = clients.away + clients.stalled === 0 &&
            (isShared || sessions === clients.connected + 1);
          shown = figures;
          expected = {
            ...sumOf(state),
            ...isShared ? {} : { sessions: state.nodes[0]!.stats?.sessions },
          };
          return isQuiet && at === state.sample.at &&
            JSON.stringify(shown) === JSON.stringify(expected);
        },
        () => `${JSON.stringify(shown)} to equal ${JSON.stringify(expected)}`,
      );
    });

    it("is light or dark, and fits into 400 pixels", async () => {
      const light = await page.show("light", 1_240);
      const dark = await page.show("dark", 1_240);
      assertNotEquals(light.background, dark.background);
      for (const width of [1_240, 800, 400]) {
        const { contentWidth } = await page.show("light", width);
        assertLessOrEqual(contentWidth, width);
      }
    });

    it("has no errors, and leaves no process behind", async () => {
      assertEquals(page.errors, []);
      const { code, children, left } = await page.close();
      assertEquals({ code, left }, { code: 0, left: [] });
      // Workers are in the process of the demo.
      assertEquals(children.length, isShared ? nodes + 1 : 0);
    });

    async function status(node: string): Promise<string | null | undefined> {
      const selector = `tr[data-node="${node}"]`;
      return (await page.attributes(selector, "data-status"))[0];
    }

    async function shownFigures() {
      const { at, sessions, streams, evicted, queuedBytes } = await page
        .figures();
      const [begun, ended] = await page.note("sessions");
      const [delivered] = await page.note("perSecond");
      const [replayed, resets] = await page.note("resumed");
      return {
        at,
        ...{ sessions, streams, queuedBytes, begun, ended },
        ...{ delivered, replayed, resets, evicted },
      };
    }

    async function received() {
      return {
        received: await page.count("#received"),
        sent: await page.count("#sent"),
        missing: await page.count("#missing"),
      };
    }
  });
}

/** Adds up the `stats()` of all nodes, as the page should. */
function sumOf({ sample, nodes }: DemoState): Record<string, number> {
  const sum = {
    ...{ sessions: sample.sessions, streams: 0, queuedBytes: 0 },
    ...{ begun: 0, ended: 0, delivered: 0, replayed: 0, resets: 0, evicted: 0 },
  };
  for (const { stats, earlier } of nodes) {
    sum.evicted += earlier.evictedByBytes + earlier.evictedByAge;
    for (const name of ["begun", "delivered", "replayed"] as const) {
      sum[name] += earlier[name] + (stats?.[name] ?? 0);
    }
    for (const name of ["ended", "resets"] as const) {
      const counts = Object.values(stats?.[name] ?? {});
      sum[name] += counts.reduce((sum, count) => sum + count, earlier[name]);
    }
    if (stats === undefined) continue;
    sum.streams += stats.attached;
    sum.queuedBytes += stats.queuedBytes;
    sum.evicted += stats.evicted.bytes + stats.evicted.age;
  }
  return sum;
}
