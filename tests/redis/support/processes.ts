import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { NodeOptions } from "../../cluster_nodes/node_actions.ts";
import type { Call, Outcome } from "../../cluster_nodes/remote_calls.ts";
import { RemoteNode } from "../../cluster_nodes/remote_node.ts";
import { RemoteNodes, withNodes } from "../../cluster_nodes/remote_nodes.ts";
import type { ClientKind } from "./clients.ts";
import { fromLine, toLine } from "./json_lines.ts";
import type { RedisServer } from "./redis_server.ts";
import { commandFor, OWN_RUNTIME, type RuntimeName } from "./runtimes.ts";

/** What the process of a node needs to know. */
export interface ProcessOptions {
  /** The URL of Redis. */
  readonly port: number;
  /** The kind of client that it has. */
  readonly kind?: ClientKind | undefined;
  /** Whether to wait until it is connected. */
  readonly isUp?: boolean | undefined;
  /** How far the clock of its machine is ahead, in milliseconds. */
  readonly clockAheadMs?: number | undefined;
}

/** A node in a process of its own, on any runtime. */
export class ProcessNode extends RemoteNode {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;

  /**
   * @param options What the process needs to know.
   * @param runtime Its runtime.
   * @param script What it runs.
   */
  constructor(
    options: object,
    runtime: RuntimeName = OWN_RUNTIME,
    script: URL = new URL("./node_process.ts", import.meta.url),
  ) {
    super();
    const [program, ...args] = commandFor(runtime, script);
    this.#process = spawn(program, [...args, JSON.stringify(options)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#process.on("error", (error) => this.failed(error));
    // A process that was killed does not read what is written to it.
    this.#process.stdin!.on("error", () => {});
    const lines = createInterface({ input: this.#process.stdout! });
    lines.on("line", (line) => this.#received(line));
    this.#ended = new Promise((resolve) =>
      this.#process.once("close", () => {
        this.ended();
        resolve();
      })
    );
  }

  /** Ends the process with SIGKILL. */
  override async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  protected override post(call: Call): void {
    this.#process.stdin!.write(toLine(call));
  }

  /** Called with what it says without being asked. */
  protected noticed(_: unknown): void {}

  #received(line: string): void {
    const received = fromLine(line) as Outcome | { readonly failure: string };
    if ("failure" in received) this.failed(new Error(received.failure));
    else if ("number" in received) this.settle(received);
    else this.noticed(received);
  }
}

/**
 * The nodes of one test, in processes of their own, with a prefix of their own.
 */
export class Processes extends RemoteNodes<ProcessNode> {
  readonly #process: ProcessOptions;

  /**
   * @param options The options of each node.
   * @param process What their processes need to know.
   */
  constructor(options: NodeOptions, process: ProcessOptions) {
    super(options, () => new ProcessNode(process));
    this.#process = process;
  }

  /**
   * Starts a process that has not joined yet, on a runtime or with another
   * client.
   */
  spawnOn(
    runtime: RuntimeName = OWN_RUNTIME,
    others: Partial<ProcessOptions> = {},
  ): ProcessNode {
    const options = { ...this.#process, ...others };
    return this.spawn(() => new ProcessNode(options, runtime));
  }
}

/**
 * Defines a test with nodes in processes of their own, over the given server.
 */
export function withProcesses(
  server: () => RedisServer,
  options: NodeOptions,
  run: (processes: Processes) => Promise<void>,
): () => Promise<void> {
  return () => {
    const { port } = server();
    return withNodes(new Processes(options, { port }), run);
  };
}
