import { Audience } from "./audience.ts";
import { connectCrowd, streamsThatFit } from "./crowd.ts";
import { OfficialClient } from "./official_client.ts";
import { count, type Report } from "./report.ts";
import { ServerProcess } from "./server_process.ts";
import { LIST_CHANGED, NEWS, Steps } from "./steps.ts";

const STREAMS = 2_500;

/** Connects a few thousand clients to a server and counts what they get. */
export async function showOneServer(
  report: Report,
  command: readonly string[],
): Promise<void> {
  const audience = new Audience();
  await using server = await ServerProcess.start(command);
  report.say("server", `${server.url}, a process of its own`);

  const caller = await OfficialClient.connect(server.url, {
    onReceive: audience.onReceive,
    fetch,
    comesBack: false,
  });
  audience.clients.push(caller);
  const memory = async () => Number(await caller.call("memory"));
  const empty = await memory();

  const sizes = {
    streams: await streamsThatFit(STREAMS),
    official: 9,
    modern: 10,
  };
  if (sizes.streams < STREAMS) {
    report.say(
      "fewer streams",
      `${count(STREAMS)} are more than the limit of open files allows`,
    );
  }
  const start = performance.now();
  await connectCrowd(server.url, audience, { sizes, news: NEWS });
  const seconds = (performance.now() - start) / 1_000;
  report.say("connected", `in ${seconds.toFixed(1)} s`);
  report.say(
    "",
    `${count(sizes.streams)} sessions with a stream each, by fetch`,
  );
  report.say(
    "",
    `${sizes.official + 1} official clients of 2025-11-25, with sessions`,
  );
  report.say("", `${sizes.modern} official clients of 2026-07-28, listening`);
  const full = await memory();
  const each = (full - empty) / (audience.clients.length - 1);
  report.say(
    "memory of the server",
    `${megabytes(empty)} with one client, ${megabytes(full)} with all: ` +
      `${count(each / 1e3)} KB each`,
  );

  report.startSteps();
  const steps = new Steps(report, audience, caller);
  await steps.newsChanged();
  await report.step("the tools changed", audience, {
    method: LIST_CHANGED,
    to: () => true,
    times: 1,
    cause: () => caller.call("learn"),
  });
  await steps.manyAtOnce();
  await steps.oneDeleted();

  console.log();
  report.say(
    "memory of the server",
    `${megabytes(await memory())} after that`,
  );
  await report.shutdown(server, audience);
}

function megabytes(bytes: number): string {
  return `${count(bytes / 1e6)} MB`;
}
