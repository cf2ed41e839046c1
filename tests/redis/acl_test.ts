import { ClusterError } from "@crossmcp/session-manager";
import { RedisSessions } from "@crossmcp/session-manager/redis";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readFileSync } from "node:fs";
import { after, before, it } from "node:test";
import { Script } from "../../src/redis/connection/script.ts";
import { CLIENT_KINDS, connect } from "./support/clients.ts";
import { doEverything } from "./support/everything.ts";
import { met } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

/** The commands that the ACL rule in `docs/redis.md` allows. */
const COMMANDS: readonly string[] = documentedCommands();
/** Commands that it works without. */
const OPTIONAL: readonly string[] = ["info", "script|load"];
const USER = { username: "mcp", password: "secret" };

function documentedCommands(): string[] {
  const page = readFileSync(
    new URL("../../docs/redis.md", import.meta.url),
    "utf8",
  );
  const rule = /^ACL SETUSER[^`]*/m.exec(page)?.[0] ?? "";
  return [...rule.matchAll(/\+(\S+)/g)].map(([, name]) => name!).sort();
}

/** Lets the user run some commands, with the prefix "mcp" only. */
async function allow(
  server: RedisServer,
  commands: readonly string[],
): Promise<void> {
  await server.command("ACL", "LOG", "RESET");
  await server.command(
    "ACL",
    "SETUSER",
    USER.username,
    "reset",
    "on",
    `>${USER.password}`,
    "~{mcp}:*",
    "resetchannels",
    "&{mcp}:*",
    ...commands.map((command) => `+${command}`),
  );
}

/** Connects as the user, expects a refusal, and returns the error. */
async function refusedUser(
  server: RedisServer,
  what: string,
): Promise<ClusterError> {
  await using clients = await connect({ port: server.port, ...USER });
  await using sessions = new RedisSessions(clients);
  const refused = await sessions.ready.then(
    () => undefined,
    (error) => error,
  );
  assert(refused instanceof ClusterError, `${what}: ${refused}`);
  return refused;
}

describeRedis("RedisSessions: a user with the documented permissions", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  it("R5 the documented rule allows the commands of all scripts, and no others", () => {
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
        "The name of a command is not a literal.",
      );
    }
    assertEquals([...used].sort(), COMMANDS);
  });

  it("R6 a user without one of the commands is refused before it is ready", async () => {
    for (const command of COMMANDS) {
      if (OPTIONAL.includes(command) || command === "unsubscribe") continue;
      await allow(server, COMMANDS.filter((other) => other !== command));
      const { message } = await refusedUser(server, command);
      assertStringIncludes(message, command);
      assertStringIncludes(message, "docs/redis.md#permissions");
    }
  });

  it("R6 a user of other keys or channels is refused before it is ready", async () => {
    for (const names of [["resetkeys", "~other:*"], ["resetchannels"]]) {
      await allow(server, COMMANDS);
      await server.command("ACL", "SETUSER", USER.username, ...names);
      const { message } = await refusedUser(server, `${names}`);
      assertStringIncludes(message, "docs/redis.md#permissions");
    }
  });

  for (const kind of CLIENT_KINDS) {
    for (const without of [[], OPTIONAL]) {
      const what = without.length > 0
        ? `, without ${without.join(" and ")}`
        : "";
      it(`R3 R4 R5 such a user can do everything, with ${kind}${what}`, async () => {
        await allow(
          server,
          COMMANDS.filter((command) => !without.includes(command)),
        );
        const connection = { port: server.port, ...USER };
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
        // Commands that clients send on their own are not part of the rule.
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
