import { RedisSessions } from "@crossmcp/session-manager/redis";
import { assert, assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { Script } from "../../src/redis/connection/script.ts";
import { CLIENT_KINDS, connect } from "./support/clients.ts";
import { doEverything } from "./support/everything.ts";
import { met } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

/** What the README says that a user may run: themselves, or in scripts. */
const COMMANDS: readonly string[] = [
  "del",
  "eval",
  "evalsha",
  "exists",
  "hdel",
  "hexists",
  "hget",
  "hgetall",
  "hkeys",
  "hmget",
  "hset",
  "info",
  "pexpire",
  "pttl",
  "publish",
  "script|load",
  "subscribe",
  "time",
  "unsubscribe",
  "xadd",
  "xdel",
  "xlen",
  "xrange",
  "zadd",
  "zcard",
  "zcount",
  "zrange",
  "zrangebyscore",
  "zrem",
  "zremrangebyrank",
  "zscore",
];
/** What it works without. */
const OPTIONAL: readonly string[] = ["info", "script|load"];

/** A user for the prefix "mcp", and no other. */
async function allow(
  server: RedisServer,
  commands: readonly string[],
): Promise<void> {
  await server.command("ACL", "LOG", "RESET");
  await server.command(
    "ACL",
    "SETUSER",
    "mcp",
    "reset",
    "on",
    ">secret",
    "~{mcp}:*",
    "resetchannels",
    "&{mcp}:*",
    ...commands.map((command) => `+${command}`),
  );
}

describeRedis("RedisSessions: a user that may do nothing else", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  it("R5 is allowed all that scripts do, and no more", () => {
    const used = new Set([
      "eval",
      "evalsha",
      "publish",
      "subscribe",
      "unsubscribe",
      ...OPTIONAL,
    ]);
    for (const { text } of Script.all) {
      for (const [, name] of text.matchAll(/redis\.call\(\s*'(\w+)'/g)) {
        used.add(name!.toLowerCase());
      }
      assert(
        !/redis\.p?call\(\s*[^'\s]/.test(text),
        "A name is not a literal.",
      );
    }
    assertEquals([...used].sort(), COMMANDS);
  });

  for (const kind of CLIENT_KINDS) {
    for (const without of [[], OPTIONAL]) {
      const what = without.length > 0
        ? `, without ${without.join(" and ")}`
        : "";
      it(`R3 R4 R5 can do everything, with ${kind}${what}`, async () => {
        await allow(
          server,
          COMMANDS.filter((command) => !without.includes(command)),
        );
        const user = { username: "mcp", password: "secret" };
        const connection = { port: server.port, ...user };
        await using own = await connect(connection, kind);
        await using others = await connect(connection, kind);
        const errors: Error[] = [];
        const options = {
          cluster: { heartbeatMs: 50 },
          streams: { replay: {} },
          info: { maxSessions: 100 },
          onError: (error: Error) => void errors.push(error),
        };
        await using here = new RedisSessions(own, options);
        await using there = new RedisSessions(others, options);
        await Promise.all([here.ready, there.ready]);
        await met([here, there]);
        await doEverything(here, there);
        assertEquals(errors, []);
        // What clients ask for of their own accord is not for us to need.
        const log = await server.command<string[][]>("ACL", "LOG");
        const denied = log.map((entry) => entry[entry.indexOf("object") + 1]!);
        assertEquals(
          denied.filter((name) =>
            !without.includes(name) && !name.startsWith("client|")
          ),
          [],
        );
      });
    }
  }
});
