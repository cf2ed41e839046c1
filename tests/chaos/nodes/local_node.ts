import {
  ENDPOINT,
  TestTransport,
} from "../../../src/testing/support/test_transport.ts";
import type { Link } from "../links.ts";
import { MAKE_SESSIONS } from "../stores/sessions/all.ts";
import type { MadeSessions } from "../stores/store.ts";
import type {
  NodeConfig,
  NodeHandle,
  NodeRequest,
  NodeState,
} from "./node_handle.ts";

/** A node in this process. */
export class LocalNode implements NodeHandle {
  readonly isProcess = false;
  readonly link: Link | undefined;
  readonly #made: MadeSessions;
  readonly #transport: TestTransport;

  private constructor(made: MadeSessions, link: Link | undefined) {
    this.#made = made;
    this.link = link;
    this.#transport = new TestTransport(made.sessions);
  }

  /** Makes a node. Resolves when it is ready. */
  static async make(
    { store, ports, library, options }: NodeConfig,
    link: Link | undefined,
    onError: (error: Error) => void,
  ): Promise<LocalNode> {
    const makeSessions = await MAKE_SESSIONS[store]();
    const made = await makeSessions(ports, library, { ...options, onError });
    await made.sessions.ready;
    return new LocalNode(made, link);
  }

  get state(): NodeState {
    const { sessions } = this.#made;
    return {
      nodes: sessions.nodes().map(({ name }) => name),
      lost: sessions.stats().cluster.lost,
    };
  }

  /** Where it cannot be cut off, only a process can be killed. */
  get isKillable(): boolean {
    return this.link !== undefined;
  }

  request(request: NodeRequest): Promise<Response> {
    return this.respond(new Request(ENDPOINT, request));
  }

  /** Answers a request. */
  respond(request: Request): Promise<Response> {
    return this.#made.sessions.guard(request, this.#transport.respond);
  }

  async send(ids: string[] | undefined, frame: string): Promise<void> {
    await this.#made.sessions.streams.send(ids, frame);
  }

  async has(id: string): Promise<boolean> {
    return await this.#made.sessions.streams.has(id);
  }

  async setData(id: string, value: number): Promise<void> {
    await this.#made.sessions.info.setData(id, value);
  }

  async getData(id: string): Promise<unknown> {
    return await this.#made.sessions.info.getData(id);
  }

  end(id: string): Promise<number> {
    return this.#made.sessions.end({ session: id });
  }

  async list(): Promise<string[]> {
    const ids: string[] = [];
    for await (const { id } of this.#made.sessions.list()) ids.push(id);
    return ids;
  }

  async close(drainMs: number): Promise<void> {
    await this.#made.sessions.close(drainMs === 0 ? {} : { drainMs });
  }

  kill(): void {
    this.link!.end();
  }

  async dispose(): Promise<void> {
    await this.#made.sessions.close();
    await this.#made.disconnect();
  }
}
