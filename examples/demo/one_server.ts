import { Audience } from "./audience.ts";
import { connectClients, streamsThatFit } from "./connect_clients.ts";
import { OfficialClient } from "./official_client.ts";
import { count, type Report } from "./report.ts";
import { ServerProcess } from "./server_process.ts";
import { LIST_CHANGED, NEWS, Steps } from "./steps.ts";

const STREAMS = 2_500;

/** Connects a few thousand clients to a server, and counts what they receive. */
export async function showOneServer(
  report: Report,
  command: readonly string[],
): Promise<void> {
  const audience = new Audience();
  await using server = await ServerProcess.start(command);
  report.print("server", `${server.url}, in its own process`);

  const caller = await OfficialClient.connect(server.url, {
    onReceive: audience.onReceive,
    fetch,
    reconnects: false,
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
    report.print(
      "fewer streams",
      `${count(STREAMS)} would exceed the limit of open files`,
    );
  }
  const start = performance.now();
  await connectClients(server.url, audience, { sizes, news: NEWS });
  const seconds = (performance.now() - start) / 1_000;
  report.print("connected", `in ${seconds.toFixed(1)} s`);
  report.print(
    "",
    `${count(sizes.streams)} sessions with a stream each, using fetch`,
  );
  report.print(
    "",
    `${sizes.official + 1} official clients of 2025-11-25 with sessions`,
  );
  report.print(
    "",
    `${sizes.modern} official clients of 2026-07-28 that listen`,
  );
  const full = await memory();
  const each = (full - empty) / (audience.clients.length - 1);
  report.print(
    "memory of the server",
    `${megabytes(empty)} with one client, ${
      megabytes(full)
    } with all of them: ` +
      `${count(each / 1e3)} KB each`,
  );

  report.startSteps();
  const steps = new Steps(report, audience, caller);
  await steps.newsChanged();
  await report.step("the tools changed", audience, {
    method: LIST_CHANGED,
    to: () => true,
    times: 1,
    cause: () => caller.call("add_tool"),
  });
  await steps.manyAtOnce();
  await steps.oneDeleted();

  console.log();
  report.print(
    "memory of the server",
    `${megabytes(await memory())} afterwards`,
  );
  await report.shutdown(server, audience);
}

function megabytes(bytes: number): string {
  return `${count(bytes / 1e6)} MB`;
}
