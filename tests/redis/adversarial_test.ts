import type { LoggingLevel } from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import { after, before, it } from "node:test";
import { frame } from "../../src/testing/support/test_client.ts";
import { openStream, textsOf } from "./support/open_stream.ts";
import { met, RedisCluster } from "./support/redis_cluster.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

/** Names that might be taken for a pattern, a command or a script. */
const HOSTILE: readonly string[] = [
  ":",
  "::",
  "a:b",
  "a",
  "*",
  "?",
  "[a-z]",
  "{",
  "}",
  "{}",
  "{mcp}:",
  "{other}:bait",
  "{neighbour}:s:a",
  "s:a",
  "all",
  "log",
  " ",
  "a b",
  "\n",
  "\r\nSET bait stolen\r\n",
  "*3\r\n$3\r\nSET\r\n$4\r\nbait\r\n$6\r\nstolen\r\n",
  "\0",
  "a\0b",
  "\t",
  '"',
  "'",
  "\\",
  "\\n",
  "%s%d%n",
  "]] redis.call('SET','bait','stolen') --[[",
  "') redis.call('SET','bait','stolen') --",
  "KEYS[1]",
  "nil",
  "false",
  "0",
  "-1",
  "1e400",
  "NaN",
  "__proto__",
  "constructor",
  "\u{1f600}",
  "\u2028",
  "é",
  "e\u0301",
  "\x7f\x80\xff",
  "x".repeat(100_000),
  `${"x".repeat(100_000)}y`,
];
/**
 * The names that a session with a stream can have (MCP 2025-11-25, Transports).
 */
const IDS = HOSTILE.filter((name) => /^[\x21-\x7E]{1,256}$/.test(name));
const LEVELS: readonly LoggingLevel[] = ["debug", "info", "error", "alert"];

/**
 * Stores keys that must not be touched; returns everything that is stored then.
 */
async function baited(server: RedisServer): Promise<Record<string, unknown>> {
  await server.command("FLUSHALL");
  for (const bait of ["bait", "{other}:bait", "{neighbour}:s:a", "mcp"]) {
    await server.command("SET", bait, "untouched");
  }
  return await others(server, "mcp");
}

/** Everything that is stored, except the keys of a prefix. */
async function others(
  server: RedisServer,
  prefix: string,
): Promise<Record<string, unknown>> {
  const keys = await server.command<string[]>("KEYS", "*");
  const found: Record<string, unknown> = {};
  for (const key of keys.sort()) {
    if (key.startsWith(`{${prefix}}:`)) continue;
    found[key] = await server.command("GET", key);
  }
  return found;
}

/** Some of the names and texts are longer than the default limits. */
const UNLIMITED = {
  info: {
    maxUriBytes: Infinity,
    maxClientInfoBytes: Infinity,
    maxCapabilitiesBytes: Infinity,
  },
};

describeRedis("RedisSessions: hostile names", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  it("R5 I6 session IDs cannot reach other keys", async () => {
    const before = await baited(server);
    await using cluster = new RedisCluster(server, "mcp");
    const [a, b] = await cluster.joinAll(2, { streams: { replay: {} } });
    const streams = IDS.map(() => openStream());
    for (const [at, id] of IDS.entries()) {
      const [here, there] = at % 2 ? [a!, b!] : [b!, a!];
      assertEquals(await there.streams.has(id), false, id);
      await here.streams.create(id, streams[at]!.controller);
      assertEquals(await there.streams.has(id), true, id);
    }
    for (const [at, id] of IDS.entries()) {
      await (at % 2 ? b! : a!).streams.send([id], frame(`${at}`));
    }
    await a!.streams.send(undefined, frame("all"));
    for (const [at, stream] of streams.entries()) {
      assertEquals((await textsOf(stream, 2)).sort(), [`${at}`, "all"].sort());
    }
    assertEquals(await others(server, "mcp"), before);
    for (const [at, id] of IDS.entries()) {
      await (at % 2 ? a! : b!).streams.delete(id);
      assertEquals(await b!.streams.has(id), false);
      // Other sessions are unaffected.
      for (const other of IDS.slice(at + 1)) {
        assertEquals(await a!.streams.has(other), true, other);
      }
    }
    assertEquals(await others(server, "mcp"), before);
    assertEquals(cluster.errors, []);
  });

  it("R5 I6 session IDs and URIs in metadata cannot reach other keys", async () => {
    const before = await baited(server);
    await using cluster = new RedisCluster(server, "mcp");
    const [a, b] = await cluster.joinAll(2, UNLIMITED);
    const idOf = (at: number) => IDS[at % IDS.length]!;
    for (const [at, id] of IDS.entries()) {
      const [here, there] = at % 2 ? [a!, b!] : [b!, a!];
      await there.info.setLogLevel(id, LEVELS[at % 4]!);
      await here.info.setClientInfo(id, { name: id, version: id });
    }
    for (const [at, uri] of HOSTILE.entries()) {
      await (at % 2 ? a! : b!).info.addSubscription(idOf(at), uri);
    }
    for (const [at, id] of IDS.entries()) {
      const [here, there] = at % 2 ? [a!, b!] : [b!, a!];
      assertEquals(await here.info.getLogLevel(id), LEVELS[at % 4]!);
      const info = await there.info.getClientInfo(id);
      assertEquals(info, { name: id, version: id });
    }
    for (const [at, uri] of HOSTILE.entries()) {
      const { info } = at % 2 ? b! : a!;
      assertEquals(await info.getSubscriptions(uri), [idOf(at)]);
    }
    assertEquals(await others(server, "mcp"), before);
    for (const [gone, id] of IDS.entries()) {
      await (gone % 2 ? a! : b!).info.delete(id);
      // Other sessions are unaffected.
      for (const [at, uri] of HOSTILE.entries()) {
        const left = at % IDS.length > gone ? [idOf(at)] : [];
        assertEquals(await b!.info.getSubscriptions(uri), left);
      }
    }
    assertEquals(await others(server, "mcp"), before);
    assertEquals(cluster.errors, []);
  });

  it("R5 stored metadata is never executed", async () => {
    await server.command("FLUSHALL");
    await using cluster = new RedisCluster(server, "mcp");
    const [a, b] = await cluster.joinAll(2, UNLIMITED);
    for (const text of HOSTILE) {
      const info = { name: text, version: text, title: text };
      const capabilities = { experimental: { [text]: { [text]: text } } };
      await a!.info.setClientInfo("s", info);
      await a!.info.setClientCapabilities("s", capabilities as never);
      assertEquals(await b!.info.getClientInfo("s"), info);
      assertEquals(await b!.info.getClientCapabilities("s"), capabilities);
    }
    assertEquals(await others(server, "mcp"), {});
  });

  it("R5 C14 names of nodes cannot reach other keys", async () => {
    const names = HOSTILE.filter(({ length }) => length <= 256);
    await using cluster = new RedisCluster(server);
    const few = names.filter((_, at) => at % 6 === 0);
    const nodes = [];
    for (const node of few) {
      nodes.push(await cluster.join({ cluster: { node } }));
    }
    await met(nodes);
    assertEquals(
      nodes[0]!.nodes().map(({ name }) => name).sort(),
      [...few].sort(),
    );
    const streams = few.map(() => openStream());
    for (const [at, node] of nodes.entries()) {
      await node.streams.create(`s${at}`, streams[at]!.controller);
    }
    const ids = few.map((_, at) => `s${at}`);
    await nodes[0]!.streams.send(ids, frame("hello"));
    for (const stream of streams) {
      assertEquals(await textsOf(stream, 1), ["hello"]);
    }
    assertEquals(cluster.errors, []);
  });

  it("R5 C14 similar prefixes share nothing", async () => {
    const prefixes = ["mcp", "mcp:", "mcp:s", "mcp:s:a", "mc", "MCP", "mcp2"];
    const clusters: RedisCluster[] = [];
    try {
      const nodes = [];
      const streams = prefixes.map(() => openStream());
      for (const [at, prefix] of prefixes.entries()) {
        const cluster = new RedisCluster(server, prefix);
        clusters.push(cluster);
        // All of them have nodes and sessions with the same names.
        const node = await cluster.join({ cluster: { node: "n" } });
        await node.streams.create("s", streams[at]!.controller);
        nodes.push(node);
      }
      await nodes[0]!.info.setLogLevel("s", "info");
      await nodes[0]!.info.addSubscription("s", "file:///a");
      await nodes[0]!.streams.create("only", openStream().controller);
      for (const [at, node] of nodes.entries()) {
        await node.streams.send(["s"], frame(`one ${at}`));
        await node.streams.send(undefined, frame(`all ${at}`));
      }
      for (const [at, node] of nodes.entries()) {
        await node.streams.send(["s"], frame("end"));
        assertEquals(await textsOf(streams[at]!, 3), [
          `one ${at}`,
          `all ${at}`,
          "end",
        ]);
        assertEquals(node.nodes().length, 1);
        if (at === 0) continue;
        assertEquals(await node.streams.has("only"), false);
        assertEquals(await node.info.getSubscriptions("file:///a"), []);
        const level = await node.info.getLogLevel("s").catch(() => "none");
        assertEquals(level, "none");
      }
      // What one of them deletes is still there for the others.
      await nodes[1]!.streams.delete("s");
      await nodes[1]!.info.delete("s");
      assertEquals(await nodes[0]!.streams.has("s"), true);
      assertEquals(await nodes[0]!.info.getLogLevel("s"), "info");
      assert(clusters.every(({ errors }) => errors.length === 0));
    } finally {
      for (const cluster of clusters) await cluster[Symbol.asyncDispose]();
    }
  });
});
