import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Browser, launch, type Page } from "puppeteer-core";
import type { PageClient } from "./browser_page.ts";
import { serve } from "./serve.ts";

/** The path of Chromium or Chrome, if there is one. */
const chromium: string | undefined = ["chromium", "google-chrome"]
  .map((name) => spawnSync("which", [name], { encoding: "utf8" }))
  .find(({ status }) => status === 0)?.stdout.trim();

/** Defines a group of tests that need a browser, and are skipped without. */
export function describeBrowser(name: string, define: () => void): void {
  describe(name, () => {
    if (chromium !== undefined) define();
    else it.skip("needs Chromium on the PATH", () => {});
  });
}

/** Starts a headless Chromium. */
export function launchBrowser(): Promise<Browser> {
  // Containers have no user namespaces, which the sandbox needs.
  return launch({
    executablePath: chromium!,
    args: ["--no-sandbox", "--disable-gpu"],
  });
}

/** An official client in a web page of another origin. */
export class BrowserClient implements AsyncDisposable {
  readonly #page: Page;
  readonly #close: () => Promise<void>;

  private constructor(page: Page, close: () => Promise<void>) {
    this.#page = page;
    this.#close = close;
  }

  /** Starts a headless Chromium, and opens the page. */
  static async start(): Promise<BrowserClient> {
    const { outputFiles: [script] } = await build({
      entryPoints: [fileURLToPath(new URL("browser_page.ts", import.meta.url))],
      bundle: true,
      write: false,
      format: "iife",
      platform: "browser",
    });
    const origin = await serve(() =>
      new Response(`<!doctype html><script>${script!.text}</script>`, {
        headers: { "content-type": "text/html; charset=utf-8" },
      })
    );
    const browser = await launchBrowser();
    const page = await browser.newPage();
    await page.goto(origin.url);
    return new BrowserClient(page, async () => {
      await browser.close();
      await origin.close();
    });
  }

  /** See {@linkcode PageClient.connect}. */
  connect(...args: Parameters<PageClient["connect"]>): Promise<string> {
    return this.#page.evaluate(
      (args) => (globalThis as unknown as Global).page.connect(...args),
      args,
    );
  }

  /** See {@linkcode PageClient.ping}. */
  ping(): Promise<number | undefined> {
    return this.#page.evaluate(() =>
      (globalThis as unknown as Global).page.ping()
    );
  }

  /** See {@linkcode PageClient.notifications}. */
  notifications(): Promise<string[]> {
    return this.#page.evaluate(() =>
      (globalThis as unknown as Global).page.notifications
    );
  }

  /** Ends the browser. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

interface Global {
  readonly page: PageClient;
}
