/**
 * Takes the pictures of the demo's page that the README shows: a node is killed
 * and brought back, and a reader is evicted. Needs Chromium and redis-server.
 *
 * ```sh
 * deno run -A scripts/demo_pictures.ts
 * ```
 */
import { DemoPage } from "../tests/deno/support/demo_page.ts";
import { ROOT } from "./lib/command.ts";

const CLIENTS = "240";
/** The charts show one minute. */
const FULL_MS = 62_000;
const KILLED_MS = 9_000;
const BACK_MS = 5_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const page = await DemoPage.open(["--redis", "--clients", CLIENTS]);
await sleep(FULL_MS);
// A new page, so that all its messages fit into the picture.
await page.reload();
await page.until(
  async () => await page.count("#received") > 0,
  "the stream of the page",
);
await page.press("#send-all");
await page.press("#send-one");
await sleep(2_000);
const node = await page.text("#own-node");
await page.press("#kill-own");
await sleep(KILLED_MS);
const row = `tr[data-node="${node}"]`;
await page.press(`${row} button`);
await page.press("#stall");
await page.until(
  async () => await page.count(`${row} [data-cell="streams"]`) > 0,
  "streams on the node that is back",
);
await sleep(BACK_MS);
for (const scheme of ["light", "dark"] as const) {
  await page.show(scheme, 1_200);
  await page.until(
    async () => await page.count("#received") === await page.count("#sent"),
    "the messages that are on their way",
  );
  const path = new URL(`docs/images/demo-${scheme}.webp`, ROOT);
  await Deno.writeFile(path, await page.picture(".by-node"));
}
await page.close();
