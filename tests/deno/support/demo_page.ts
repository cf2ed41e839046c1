import type { Browser, Page } from "puppeteer-core";
import { launchBrowser } from "../../e2e/support/browser.ts";
import { until } from "../../e2e/support/until.ts";

/** For a machine that is busy with other tests. */
const PATIENCE_MS = 60_000;
/** The margin below a picture, in pixels. */
const MARGIN = 11;
/** Few, so that the demo is quick in spite of other tests. */
const CLIENTS = "40";

/** What `GET /api/state` returns, as far as tests need it. */
export interface DemoState {
  readonly sample: {
    readonly at: number;
    readonly sessions: number;
    readonly clients: {
      readonly connected: number;
      readonly away: number;
      readonly stalled: number;
    };
  };
  readonly nodes: readonly {
    readonly name: string;
    /** The result of `stats()`. */
    readonly stats?: {
      readonly sessions: number;
      readonly begun: number;
      readonly ended: Readonly<Record<string, number>>;
      readonly attached: number;
      readonly delivered: number;
      readonly queuedBytes: number;
      readonly replayed: number;
      readonly resets: Readonly<Record<string, number>>;
      readonly evicted: { readonly bytes: number; readonly age: number };
    };
    readonly earlier: {
      readonly begun: number;
      readonly ended: number;
      readonly delivered: number;
      readonly replayed: number;
      readonly resets: number;
      readonly evictedByBytes: number;
      readonly evictedByAge: number;
    };
  }[];
}

/** How the demo ended. */
export interface DemoEnd {
  readonly code: number;
  /** The processes that it had started. */
  readonly children: readonly number[];
  /** Those that it left behind. */
  readonly left: readonly number[];
}

/** `deno task demo web`, and its page in a browser. */
export class DemoPage {
  readonly #demo: Deno.ChildProcess;
  readonly #browser: Browser;
  readonly #page: Page;
  readonly #url: string;
  #closed: Promise<DemoEnd> | undefined;
  /** The errors of the page's scripts. */
  readonly errors: string[] = [];

  private constructor(
    demo: Deno.ChildProcess,
    browser: Browser,
    page: Page,
    url: string,
  ) {
    this.#demo = demo;
    this.#browser = browser;
    this.#page = page;
    this.#url = url;
    page.on("pageerror", (error) => this.errors.push(String(error)));
  }

  /** Starts the demo and a browser, and opens the page. */
  static async open(args: readonly string[]): Promise<DemoPage> {
    const demo = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-all",
        "--unstable-no-legacy-abort",
        "examples/demo.ts",
        "web",
        ...["--no-open", "--port", "0", "--clients", CLIENTS],
        ...args,
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    try {
      const url = await addressOf(demo);
      const browser = await launchBrowser();
      const page = await browser.newPage();
      const opened = new DemoPage(demo, browser, page, url);
      await page.goto(url);
      return opened;
    } catch (error) {
      demo.kill("SIGKILL");
      throw error;
    }
  }

  /** Returns the text of an element. */
  text(selector: string): Promise<string> {
    return this.#evaluate(
      `document.querySelector(${JSON.stringify(selector)}).textContent`,
    );
  }

  /** Returns a count that the page shows. */
  async count(selector: string): Promise<number> {
    return Number((await this.text(selector)).replaceAll(",", ""));
  }

  /** Returns the figures of the tiles, and the time of their sample. */
  figures(): Promise<Record<string, number>> {
    return this.#evaluate(`({
      at: Number(document.body.dataset.at),
      ...Object.fromEntries(
        [...document.querySelectorAll("[data-stat]")].map(
          ({ dataset }) => [dataset.stat, Number(dataset.value)],
        ),
      ),
    })`);
  }

  /** Returns the numbers in the note of a tile. */
  async note(name: string): Promise<number[]> {
    const text = await this.text(`[data-note="${name}"]`);
    return text.replaceAll(",", "").match(/\d+/g)?.map(Number) ?? [];
  }

  /** Returns the attribute of every element that a selector matches. */
  attributes(selector: string, name: string): Promise<(string | null)[]> {
    return this.#evaluate(
      `[...document.querySelectorAll(${JSON.stringify(selector)})]
        .map((element) => element.getAttribute(${JSON.stringify(name)}))`,
    );
  }

  /** Waits until a button is enabled, and presses it with the keyboard. */
  async press(selector: string): Promise<void> {
    const enabled = `${selector}:enabled`;
    await this.#page.waitForSelector(enabled, { timeout: PATIENCE_MS });
    await this.#page.focus(enabled);
    await this.#page.keyboard.press("Enter");
  }

  /** Waits for a condition. */
  until(
    holds: () => Promise<boolean>,
    what: string | (() => string),
  ): Promise<void> {
    return until(holds, what, PATIENCE_MS);
  }

  /** Returns the state of the demo, without the page. */
  async state(): Promise<DemoState> {
    return await (await fetch(new URL("/api/state", this.#url))).json();
  }

  /**
   * Shows the page in a color scheme and a width; returns its background and the
   * width of its content.
   */
  async show(
    scheme: "light" | "dark",
    width: number,
  ): Promise<{ background: string; contentWidth: number }> {
    await this.#page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: scheme },
    ]);
    await this.#page.setViewport({
      width,
      height: 1_000,
      deviceScaleFactor: 1.5,
    });
    return await this.#evaluate(`({
      background: getComputedStyle(document.body).backgroundColor,
      contentWidth: document.documentElement.scrollWidth,
    })`);
  }

  /** Loads the page again. */
  async reload(): Promise<void> {
    await this.#page.reload();
  }

  /** Returns a picture of the page from its top to the end of an element. */
  async picture(last: string): Promise<Uint8Array> {
    const { width, bottom } = await this.#evaluate<Record<string, number>>(`{
      scrollTo(0, 0);
      document.activeElement.blur();
      const { bottom } = document.querySelector(${JSON.stringify(last)})
        .getBoundingClientRect();
      ({ width: innerWidth, bottom });
    }`);
    return await this.#page.screenshot({
      type: "webp",
      quality: 85,
      clip: { x: 0, y: 0, width: width!, height: bottom! + MARGIN },
    });
  }

  /** Stops the browser and the demo, once. */
  close(): Promise<DemoEnd> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<DemoEnd> {
    await this.#browser.close();
    const children = await childrenOf(this.#demo.pid);
    this.#demo.kill("SIGTERM");
    const timer = setTimeout(() => this.#demo.kill("SIGKILL"), PATIENCE_MS);
    const { code } = await this.#demo.status;
    clearTimeout(timer);
    return { code, children, left: children.filter(isAlive) };
  }

  async #evaluate<T>(script: string): Promise<T> {
    return await this.#page.evaluate(script) as T;
  }
}

/** Reads what the demo prints until that has its address. */
async function addressOf({ stdout }: Deno.ChildProcess): Promise<string> {
  let output = "";
  const texts = stdout.pipeThrough(new TextDecoderStream());
  for await (const text of texts.values({ preventCancel: true })) {
    output += text;
    const address = output.match(/^http:\S+$/m)?.[0];
    if (address !== undefined) return address;
  }
  throw new Error(`The demo did not start: ${output}`);
}

async function childrenOf(pid: number): Promise<number[]> {
  const command = new Deno.Command("pgrep", { args: ["-P", `${pid}`] });
  const { stdout } = await command.output();
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean)
    .map(Number);
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}
