import { InMemoryInfoSessionManager as Peer } from "@tmcp/session-manager";
import { createEventBuffer } from "better-sse";
import {
  formatSseEvent,
  InMemoryInfoSessionManager,
  InMemoryStreamSessionManager,
} from "../../mod.ts";
import { heapUsed } from "../../tests/memory/heap.ts";
import { makeFrame } from "../fan_out.ts";
import {
  type Info,
  type Operation,
  OPERATIONS,
  populated,
} from "../info_operations.ts";
import { type Entrant, pairedRounds } from "../paired_rounds.ts";
import { OpenStreams } from "../streams.ts";
import { WorkerGroup } from "../workers/worker_group.ts";
import {
  absolute,
  type Figure,
  type Findings,
  type Suite,
  times,
} from "./figures.ts";

/** No preparation. */
const nothing = { prepare: () => {}, finish: () => Promise.resolve() };

async function often(
  operations: readonly Operation[],
  info: Info,
): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    for (const operation of operations) await operation(info, turn);
  }
}

/** Times metadata operations by name. */
async function compareInfo(
  rounds: number,
  compared: Readonly<Record<string, readonly Operation[]>>,
): Promise<Findings> {
  const [ours, peer] = [
    await populated(new InMemoryInfoSessionManager()),
    await populated(new Peer()),
  ];
  // A warm-up round: no operation is measured while the runtime has seen only
  // that one.
  for (const operations of Object.values(compared)) {
    for (const info of [ours, peer]) await often(operations, info);
  }
  const figures: Figure[] = [];
  for (const [name, operations] of Object.entries(compared)) {
    const entrant = (info: Info): Entrant => ({
      ...nothing,
      runs: 20,
      run: () => often(operations, info),
    });
    const took = await pairedRounds({
      ours: entrant(ours),
      peer: entrant(peer),
    }, rounds);
    const id = `${name}: ours / @tmcp/session-manager`;
    figures.push(times(id, took.ours, took.peer));
  }
  await ours.close();
  return { figures };
}

/** All operations together: a single one is too short to time reliably. */
const info: Suite = {
  name: "metadata",
  isShort: true,
  run: (rounds) =>
    compareInfo(rounds, {
      "all operations on metadata": Object.values(OPERATIONS),
    }),
};

const infoOperations: Suite = {
  name: "operations on metadata",
  isShort: false,
  run: (rounds) =>
    compareInfo(
      rounds,
      Object.fromEntries(
        Object.entries(OPERATIONS).map(([name, operation]) => [
          name,
          [operation],
        ]),
      ),
    ),
};

const sse: Suite = {
  name: "SSE framing",
  isShort: true,
  run: async (rounds) => {
    const encoder = new TextEncoder();
    const bytes = new Uint8Array(1_000);
    const data = JSON.stringify({ text: "x".repeat(300) });
    // Encoding is part of it: it flattens a string that is a tree of pieces.
    const entrant = (write: (id: string) => string): Entrant => ({
      ...nothing,
      runs: 10,
      run: () => {
        for (let id = 0; id < 2_000; id++) {
          encoder.encodeInto(write(`${id}`), bytes);
        }
      },
    });
    const options = { serializer: (data: unknown) => data as string };
    const took = await pairedRounds({
      ours: entrant((id) => formatSseEvent({ event: "message", id, data })),
      betterSse: entrant((id) =>
        createEventBuffer(options).push(data, "message", id).read()
      ),
      bareLoop: entrant((id) => `event: message\nid: ${id}\ndata: ${data}\n\n`),
    }, rounds);
    const id = "an SSE frame of 300 B: ours / ";
    return {
      figures: [
        times(`${id}template string`, took.ours, took.bareLoop),
        times(`${id}better-sse`, took.ours, took.betterSse),
      ],
    };
  },
};

const replay: Suite = {
  name: "replay",
  isShort: true,
  run: async (rounds) => {
    const frame = makeFrame(300);
    const send = (streams: InMemoryStreamSessionManager): Entrant => ({
      ...nothing,
      runs: 10,
      run: () => {
        for (let left = 1_000; left > 0; left--) streams.send(["a"], frame);
      },
    });
    const kept = new InMemoryStreamSessionManager({ replay: {} });
    const position = kept.latestEventId!;
    for (let left = 1_000; left > 0; left--) kept.send(undefined, frame);
    const encoder = new TextEncoder();
    const open = () => new OpenStreams(1).controllers[0]!;
    const took = await pairedRounds({
      append: send(new InMemoryStreamSessionManager({ replay: {} })),
      // The lower bound: the event gets its ID and is encoded.
      encode: {
        ...nothing,
        runs: 10,
        run: () => {
          for (let id = 0; id < 1_000; id++) {
            encoder.encode(
              `${frame.slice(0, -1)}id: ${"0".repeat(17)}${id}\n\n`,
            );
          }
        },
      },
      resume: {
        ...nothing,
        runs: 20,
        run: () => {
          kept.prepareStream("b", { lastEventId: position });
          kept.create("b", open());
        },
      },
      write: {
        ...nothing,
        runs: 20,
        run: () => {
          const controller = open();
          for (let left = 1_000; left > 0; left--) {
            controller.enqueue(encoder.encode(frame));
          }
        },
      },
    }, rounds);
    await kept.close();
    return {
      figures: [
        times(
          "an event for replay: stored / only encoded",
          took.append,
          took.encode,
        ),
        times(
          "a resume after 1,000 events: ours / bare encode and enqueue",
          took.resume,
          took.write,
        ),
      ],
    };
  },
};

/** Bytes of heap per session, without its stream. */
const heap: Suite = {
  name: "heap",
  isShort: true,
  run: async () => {
    // Warm-up: structures that exist once are not counted.
    await weigh(1_000);
    const values = [await weigh(100_000)];
    return {
      figures: [
        absolute(
          "heap of an idle session above its stream",
          "bytes",
          values,
          250,
        ),
      ],
    };
  },
};

async function weigh(count: number): Promise<number> {
  // Flat strings, like those parsed from requests.
  const ids: string[] = JSON.parse(
    JSON.stringify(Array.from({ length: count }, () => crypto.randomUUID())),
  );
  const { controllers } = new OpenStreams(count);
  const bare = await heapUsed();
  const streams = new InMemoryStreamSessionManager();
  for (const [at, controller] of controllers.entries()) {
    streams.create(ids[at]!, controller);
  }
  const attached = await heapUsed();
  await streams.close();
  return (attached - bare) / count;
}

/** @param program The script that the workers run. */
function workers(program: URL): Suite {
  return {
    name: "workers",
    isShort: true,
    run: async (rounds) => {
      const [workers, frames, frame] = [4, 100, makeFrame(1_000)];
      const group = await WorkerGroup.start(program, workers, 2_500);
      const took = { ours: [] as number[], bare: [] as number[] };
      for (let round = -2; round < rounds; round++) {
        const order = round % 2 === 0
          ? ["ours", "bare"] as const
          : ["bare", "ours"] as const;
        for (const contender of order) {
          const ms = await group.send(contender, frame, frames, 10);
          if (round >= 0) took[contender].push(ms);
        }
      }
      await group.close();
      const id = "4 workers, 10,000 sessions, 1 KB in bursts of ten: " +
        "ours / bare postMessage";
      return { figures: [times(id, took.ours, took.bare)] };
    },
  };
}

/**
 * All suites except sending within a process. The heap comes first, while it is
 * empty.
 */
export function otherSuites(program: URL): readonly Suite[] {
  return [heap, info, sse, replay, workers(program), infoOperations];
}
