import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Fetch } from "../../e2e/support/clients.ts";
import { until } from "../../e2e/support/until.ts";
import { fromLine, toLine } from "../../redis/support/json_lines.ts";
import { RedisServer } from "../../redis/support/redis_server.ts";
import { commandFor, OWN_RUNTIME } from "../../redis/support/runtimes.ts";
import { startThread } from "../../support/bundle.ts";
import type { Command, MemberState } from "./serve_member.ts";

/** Each loads the whole server, possibly on a busy machine. */
const START_TIMEOUT_MS = 30_000;

/** A worker or process. */
export interface Member {
  readonly name: string;
  readonly url: URL;
  run(command: Command): Promise<MemberState>;
  /** Kills it immediately. */
  kill(): Promise<void>;
}

/** Workers or processes that share their sessions. */
export interface Members extends AsyncDisposable {
  readonly alive: readonly Member[];
  /** Sends each request to the next one that is alive. */
  readonly fetch: Fetch;
  /** The Redis server, if there is one. */
  readonly redis: RedisServer | undefined;
  /** Returns the one that has the server of the only session. */
  host(): Promise<Member>;
  /** Kills one. */
  kill(member: Member): Promise<void>;
  /** No longer sends requests to one. */
  remove(member: Member): void;
}

/** A URL of all of them. */
export const MEMBERS_URL: URL = new URL("http://members/mcp");

/** Starts workers of this process. */
export function startWorkers(sdk: string, count: number): Promise<Members> {
  const group = crypto.randomUUID();
  return startMembers(count, (name) => startWorker({ name, group, sdk }));
}

/** Starts a Redis server, and processes. */
export async function startProcesses(
  sdk: string,
  count: number,
): Promise<Members> {
  const redis = await RedisServer.start();
  const start = (name: string) =>
    startProcess({ name, redisPort: redis.port, sdk });
  return await startMembers(count, start, redis);
}

async function startMembers(
  count: number,
  start: (name: string) => Promise<Member>,
  redis?: RedisServer,
): Promise<Members> {
  const names = Array.from({ length: count }, (_, index) => `m${index}`);
  const all = await Promise.all(names.map(start));
  let alive: readonly Member[] = all;
  let turn = 0;
  const remove = (member: Member) => {
    alive = alive.filter((other) => other !== member);
  };
  for (const member of all) {
    await until(
      async () => (await member.run({ kind: "state" })).nodes === count,
      "the members to know each other",
      START_TIMEOUT_MS,
    );
  }
  return {
    get alive() {
      return alive;
    },
    fetch: (url, init) => {
      const { pathname } = new URL(url);
      const member = alive[turn++ % alive.length]!;
      return fetch(new URL(pathname, member.url), init);
    },
    redis,
    host: async () => {
      for (const member of alive) {
        if ((await member.run({ kind: "state" })).hosted > 0) return member;
      }
      throw new Error("Nobody has the server.");
    },
    kill: async (member) => {
      remove(member);
      await member.kill();
    },
    remove,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((member) => member.kill()));
      await redis?.kill();
    },
  };
}

async function startWorker(
  workerData: { readonly name: string; group: string; sdk: string },
): Promise<Member> {
  const script = new URL("./member_thread.ts", import.meta.url);
  const worker = startThread(script, workerData);
  const [port] = await once(worker, "message");
  const calls = new Calls((call) => worker.postMessage(call));
  worker.on("message", (result) => calls.settle(result));
  return {
    name: workerData.name,
    url: new URL(`http://127.0.0.1:${port}/mcp`),
    run: (command) => calls.run(command),
    kill: async () => void await worker.terminate(),
  };
}

async function startProcess(
  options: { readonly name: string; redisPort: number; sdk: string },
): Promise<Member> {
  const script = new URL("./member_process.ts", import.meta.url);
  const [program, ...args] = commandFor(OWN_RUNTIME, script);
  const child = spawn(program, [...args, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  // A killed process doesn't read its stdin.
  child.stdin.on("error", () => {});
  const ended = once(child, "close");
  const failed = ended.then(() => {
    throw new Error("The process exited before it was ready.");
  });
  failed.catch(() => {});
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), failed]);
  const calls = new Calls((call) => child.stdin.write(toLine(call)));
  lines.on("line", (line) => calls.settle(fromLine(line)));
  return {
    name: options.name,
    url: new URL(`http://127.0.0.1:${fromLine(line)}/mcp`),
    run: (command) => calls.run(command),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Runs commands in another thread or process. */
class Calls {
  readonly #send: (call: unknown) => void;
  readonly #pending: Map<number, (state: MemberState) => void> = new Map();
  #lastId = 0;

  constructor(send: (call: unknown) => void) {
    this.#send = send;
  }

  run(command: Command): Promise<MemberState> {
    const id = ++this.#lastId;
    const state = new Promise<MemberState>((resolve) =>
      this.#pending.set(id, resolve)
    );
    this.#send([id, command]);
    return state;
  }

  settle(result: unknown): void {
    const [id, state] = result as [number, MemberState];
    this.#pending.get(id)?.(state);
    this.#pending.delete(id);
  }
}
