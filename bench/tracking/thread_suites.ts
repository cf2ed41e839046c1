import { RemoteServer } from "../workers/server_group.ts";
import { absolute, type Suite, times } from "./figures.ts";

/**
 * How many answers precede those that are measured: the first hundreds take two
 * to four times as long, until the runtime has compiled the code.
 */
const WARM_UP = 300;

/** Answers to questions of a tool, on the same thread and on another one. */
function answers(program: URL): Suite {
  return {
    name: "forwarding",
    isShort: false,
    run: async (rounds) => {
      const servers = await RemoteServer.start(program, 2, "shared");
      const [here, there] = servers as [RemoteServer, RemoteServer];
      const id = await here.run("begin", "tmcp");
      const timeAnswer = async (answering: RemoteServer) => {
        const question = await here.run("ask", id);
        const result = here.run("result");
        const start = await answering.run("answer", id, question);
        return await result - start;
      };
      const [local, remote] = [[] as number[], [] as number[]];
      for (let round = -WARM_UP; round < 20 * rounds; round++) {
        const [one, other] = [await timeAnswer(here), await timeAnswer(there)];
        if (round < 0) continue;
        local.push(one);
        remote.push(other);
      }
      await Promise.all(servers.map((server) => server.close()));
      const name = "an answer to a request of the server";
      return {
        figures: [
          absolute(`${name}, on the same worker`, "ms", local),
          absolute(`${name}, on another worker`, "ms", remote, 2),
        ],
      };
    },
  };
}

/** Tool calls of a session of another thread. */
function calls(program: URL): Suite {
  return {
    name: "sdk-forwarding",
    isShort: false,
    run: async (rounds) => {
      const servers = await RemoteServer.start(program, 2, "shared");
      const [here, there] = servers as [RemoteServer, RemoteServer];
      const [one, other] = [
        await here.run("begin", "sdk"),
        await here.run("begin", "sdk"),
      ];
      const [local, remote] = [[] as number[], [] as number[]];
      for (let round = -2; round < rounds; round++) {
        const took = [
          await here.run("call", "sdk", one, 300),
          await there.run("call", "sdk", other, 300),
        ] as const;
        if (round < 0) continue;
        local.push(took[0]);
        remote.push(took[1]);
      }
      await Promise.all(servers.map((server) => server.close()));
      const id = "a small tool call, official SDK: " +
        "on another worker / on the same";
      return { figures: [times(id, remote, local, 3)] };
    },
  };
}

const STREAMS = 10_000;
const WORKERS = 4;

/** Events for `subscriptions/listen` streams of several threads. */
function publishing(program: URL): Suite {
  return {
    name: "sdk-publish",
    isShort: false,
    run: async (rounds) => {
      const ours = await RemoteServer.start(program, WORKERS, "shared");
      const theirs = await RemoteServer.start(program, 1, "own");
      for (const servers of [ours, theirs]) {
        const streams = STREAMS / servers.length;
        const opened = servers.map((server) => server.run("listen", streams));
        await Promise.all(opened);
      }
      let published = 0;
      const publish = async (servers: readonly RemoteServer[]) => {
        const start = performance.now();
        const events = published * STREAMS / servers.length;
        await servers[0]!.run("publish");
        await Promise.all(
          servers.map((server) => server.run("received", events)),
        );
        return performance.now() - start;
      };
      const took = { ours: [] as number[], theirs: [] as number[] };
      for (let round = -5; round < 5 * rounds; round++) {
        published++;
        const [one, other] = [await publish(ours), await publish(theirs)];
        if (round < 0) continue;
        took.ours.push(one);
        took.theirs.push(other);
      }
      for (const server of [...ours, ...theirs]) await server.close();
      const id = `publish to ${STREAMS} listening streams, official SDK: ` +
        `${WORKERS} workers / its own bus on one`;
      return { figures: [times(id, took.ours, took.theirs, 1)] };
    },
  };
}

/**
 * What it costs to reach other threads.
 *
 * @param program The script that the threads run.
 */
export function threadSuites(program: URL): readonly Suite[] {
  return [answers(program), calls(program), publishing(program)];
}
