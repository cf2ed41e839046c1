import { InMemorySessions, type SessionsOptions } from "../../mod.ts";
import { pairedRounds } from "../paired_rounds.ts";
import { type Suite, times } from "./figures.ts";
import { guarded, tmcpTransport } from "./mcp_servers.ts";
import { caller } from "./tool_calls.ts";

const CALLS = { runs: 5, calls: 200, firstId: 0 };

const calls: Suite = {
  name: "guard",
  isShort: true,
  run: async (rounds) => {
    const create = (options: SessionsOptions) => new InMemorySessions(options);
    const [bare, plain, replay] = [
      create({}),
      create({}),
      create({ streams: { replay: {} } }),
    ];
    const transport = tmcpTransport(bare);
    const took = await pairedRounds({
      bare: await caller((request) => transport.respond(request), CALLS),
      plain: await caller(guarded(plain), CALLS),
      replay: await caller(guarded(replay), CALLS),
    }, rounds);
    for (const sessions of [bare, plain, replay]) await sessions.close();
    const id = "a small tool call";
    return {
      figures: [
        times(`${id}: guarded / not guarded`, took.plain, took.bare),
        times(
          `${id}, guarded: with replay / without`,
          took.replay,
          took.plain,
          1.15,
        ),
      ],
    };
  },
};

/** What the guard costs. */
export const GUARD_SUITES: readonly Suite[] = [calls];
