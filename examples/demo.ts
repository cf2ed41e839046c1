/**
 * Starts an MCP server in a process of its own, connects a few thousand clients of
 * both eras to it, has it send notifications, and counts what arrives:
 * `deno task demo`. The exit code is 1 when a single one is missing, surplus or at
 * the wrong client. Takes the command of another server as arguments.
 */
import { Audience, type Step } from "./demo/audience.ts";
import { connectCrowd, streamsThatFit } from "./demo/crowd.ts";
import { OfficialClient } from "./demo/official_client.ts";
import { ServerProcess } from "./demo/server_process.ts";
import { StreamClient } from "./demo/stream_client.ts";

const NEWS = "file:///news.md";
const UPDATED = "notifications/resources/updated";
const LIST_CHANGED = "notifications/tools/list_changed";
const STREAMS = 2_500;

const problems: string[] = [];
const audience = new Audience();

await using server = await ServerProcess.start(
  Deno.args.length > 0 ? Deno.args : [
    Deno.execPath(),
    "run",
    "-A",
    "--unstable-no-legacy-abort",
    `${import.meta.dirname}/server.ts`,
  ],
);
say("server", `${server.url}, a process of its own`);

const caller = await OfficialClient.connect(
  server.url,
  undefined,
  audience.onReceive,
);
audience.clients.push(caller);
const empty = await memory();

const sizes = {
  streams: await streamsThatFit(STREAMS),
  official: 9,
  modern: 10,
};
if (sizes.streams < STREAMS) {
  say(
    "fewer streams",
    `${count(STREAMS)} are more than the limit of open files allows`,
  );
}
const start = performance.now();
await connectCrowd(server.url, audience, sizes, NEWS);
const seconds = (performance.now() - start) / 1_000;
say("connected", `in ${seconds.toFixed(1)} s`);
say("", `${count(sizes.streams)} sessions with a stream each, by fetch`);
say("", `${sizes.official + 1} official clients of 2025-11-25, with sessions`);
say("", `${sizes.modern} official clients of 2026-07-28, listening`);
const full = await memory();
const each = (full - empty) / (audience.clients.length - 1);
say(
  "memory of the server",
  `${megabytes(empty)} with one client, ${megabytes(full)} with all: ` +
    `${count(each / 1e3)} KB each`,
);

console.log();
row("notifications", "recipients", "expected", "received", "ms", "per second");
await step("the news changed", {
  method: UPDATED,
  to: (client) => client.subscribed,
  times: 1,
  cause: () => caller.call("publish"),
});
await step("the tools changed", {
  method: LIST_CHANGED,
  to: () => true,
  times: 1,
  cause: () => caller.call("learn"),
});
await step("20 times at once", {
  method: LIST_CHANGED,
  to: () => true,
  times: 20,
  cause: () =>
    Promise.all(Array.from({ length: 20 }, () => caller.call("learn"))),
});
const gone = audience.clients.find((client) => client instanceof StreamClient)!;
await gone.delete();
await step("one session deleted", {
  method: LIST_CHANGED,
  to: (client) => client !== gone,
  times: 1,
  cause: () => caller.call("learn"),
});
if (await audience.ended([gone]) === 0) {
  problems.push("DELETE did not end the stream of the session");
}

console.log();
say("memory of the server", `${megabytes(await memory())} after that`);
const code = await server.stop();
// The SDK of 2025-11-25 does not tell that its stream ended.
const told = audience.clients.filter((c) => !(c instanceof OfficialClient));
const ended = await audience.ended(told);
say(
  "shutdown",
  `exit code ${code}, ${count(ended)} of ${count(told.length)} ` +
    "streams ended in order",
);
if (code !== 0) problems.push(`the server ended with exit code ${code}`);
if (ended < told.length) problems.push("streams were broken off");
await Promise.all(audience.clients.map((client) => client.close()));

for (const problem of problems) console.log(`\nFAILED: ${problem}`);
if (problems.length === 0) console.log("\nOK: every client got what it should");
Deno.exit(problems.length === 0 ? 0 : 1);

async function step(name: string, what: Step): Promise<void> {
  const { recipients, expected, received, ms, wrong } = await audience.run(
    what,
  );
  const rate = received / ms * 1_000;
  row(name, ...[recipients, expected, received, ms, rate].map(count));
  if (wrong > 0) problems.push(`${name}: wrong at ${count(wrong)} clients`);
}

function say(what: string, text: string): void {
  console.log(what.padEnd(21) + text);
}

function row(name: string, ...cells: string[]): void {
  say(name, cells.map((cell) => cell.padStart(11)).join(""));
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

async function memory(): Promise<number> {
  return Number(await caller.call("memory"));
}

function megabytes(bytes: number): string {
  return `${count(bytes / 1e6)} MB`;
}
