import { RedisSessions } from "@crossmcp/session-manager/redis";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { EventEmitter } from "node:events";
import { after, before, it } from "node:test";
import { PATIENCE_MS } from "../cluster_nodes/remote_node.ts";
import { until } from "../e2e/support/until.ts";
import { connect } from "./support/clients.ts";
import { describeRedis, RedisServer } from "./support/redis_server.ts";

type Held = { reject(error: Error): void };

/**
 * A client of the user's own in front of a real one. It can hold commands, or
 * reject them, as a client does that retries while servers fail over.
 */
class Client extends EventEmitter {
  /** What happens to a command; undefined if it is sent. */
  decide: (args: readonly string[]) => "hold" | Error | undefined = () =>
    undefined;
  readonly held: Held[] = [];
  published = 0;
  readonly #send: (args: string[]) => Promise<unknown>;

  constructor(send: (args: string[]) => Promise<unknown>) {
    super();
    this.#send = send;
  }

  async sendCommand(args: string[]): Promise<unknown> {
    const decision = this.decide(args);
    if (decision instanceof Error) throw decision;
    if (decision === "hold") {
      return await new Promise((_, reject) => this.held.push({ reject }));
    }
    const reply = await this.#send(args);
    if (args[0] === "PUBLISH") this.published++;
    return reply;
  }

  /** Resolves after some more heartbeats were published. */
  async beats(count: number): Promise<void> {
    const target = this.published + count;
    await until(() => this.published >= target, "heartbeats", PATIENCE_MS);
  }
}

describeRedis("RedisSessions: one report for an outage", () => {
  let server: RedisServer;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server?.kill());

  /** Starts a node with such a client. */
  async function withNode(
    requestTimeoutMs: number,
    run: (client: Client, errors: readonly Error[]) => Promise<void>,
  ): Promise<void> {
    await using clients = await connect(server);
    const { publisher, subscriber } = clients;
    const client = new Client((args) => publisher.sendCommand(args));
    const errors: Error[] = [];
    const sessions = new RedisSessions({ publisher: client, subscriber }, {
      prefix: crypto.randomUUID(),
      cluster: { heartbeatMs: 100, requestTimeoutMs },
      onError: (error) => void errors.push(error),
    });
    try {
      await sessions.ready;
      await client.beats(1);
      await run(client, errors);
    } finally {
      client.decide = () => undefined;
      await sessions.close();
    }
  }

  it("R1 R6 a command that fails after the outage in which it was sent is no other one", () =>
    withNode(PATIENCE_MS, async (client, errors) => {
      client.decide = ([name]) => name === "PUBLISH" ? "hold" : undefined;
      await until(
        () => client.held.length > 0,
        "a command that waits",
        PATIENCE_MS,
      );
      client.decide = () => new Error("Socket closed unexpectedly");
      await until(() => errors.length > 0, "a report", PATIENCE_MS);
      client.decide = () => undefined;
      await client.beats(2);
      for (const { reject } of client.held) reject(new Error("Too late"));
      await client.beats(5);
      assertEquals(errors.length, 1, errors.join());
    }));

  it("R1 R6 an outage that begins while a reconnected client is checked is reported once", () =>
    withNode(200, async (client, errors) => {
      client.decide = () => "hold";
      client.emit("ready");
      await until(() => errors.length > 0, "a report", PATIENCE_MS);
      assertStringIncludes(errors[0]!.message, "no answer");
      client.decide = () => undefined;
      await client.beats(5);
      assertEquals(errors.length, 1, errors.join());
    }));
});
