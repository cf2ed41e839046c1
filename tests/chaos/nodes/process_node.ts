import type { Remote } from "../../cluster_nodes/remote_calls.ts";
import { ProcessNode as Process } from "../../redis/support/processes.ts";
import { until } from "../../e2e/support/until.ts";
import type { Link } from "../links.ts";
import { PATIENCE_MS } from "../setting.ts";
import type {
  NodeCalls,
  NodeConfig,
  NodeHandle,
  NodeRequest,
  NodeState,
} from "./node_handle.ts";

const SCRIPT = new URL("./node_process.ts", import.meta.url);

/** What the process of a node says without being asked. */
export type Notice =
  | { readonly state: NodeState }
  /** It is ready; its clients connect there. */
  | { readonly url: string }
  | { readonly error: { readonly name: string; readonly message: string } };

/** The process of a node. */
class ChaosProcess extends Process {
  readonly calls: Remote<NodeCalls> = this.remote("calls");
  readonly #onNotice: (notice: Notice) => void;

  constructor(config: NodeConfig, onNotice: (notice: Notice) => void) {
    super(config, undefined, SCRIPT);
    this.#onNotice = onNotice;
  }

  /** Whether it has ended. */
  hasEnded: boolean = false;

  protected override ended(): void {
    this.hasEnded = true;
    super.ended();
  }

  protected override noticed(notice: unknown): void {
    this.#onNotice(notice as Notice);
  }
}

/** A node in a process of its own, whose clients connect over HTTP. */
export class ProcessNode implements NodeHandle {
  readonly isProcess = true;
  readonly isKillable = true;
  readonly link: Link | undefined;
  readonly #process: ChaosProcess;
  #state: NodeState = { nodes: [], lost: 0 };
  #url = "";

  private constructor(
    config: NodeConfig,
    link: Link | undefined,
    onError: (error: Error) => void,
  ) {
    this.link = link;
    this.#process = new ChaosProcess(config, (notice) => {
      if ("state" in notice) this.#state = notice.state;
      else if ("url" in notice) this.#url = notice.url;
      else onError(Object.assign(new Error(), notice.error));
    });
  }

  /** Starts a process. Resolves when its node is ready. */
  static async make(
    config: NodeConfig,
    link: Link | undefined,
    onError: (error: Error) => void,
  ): Promise<ProcessNode> {
    const made = new ProcessNode(config, link, onError);
    try {
      await until(
        () => made.#url !== "" || made.#process.hasEnded,
        "a process to start",
        PATIENCE_MS,
      );
      if (made.#url === "") throw new Error("The process has ended.");
    } catch (error) {
      await made.dispose();
      throw error;
    }
    return made;
  }

  get state(): NodeState {
    return this.#state;
  }

  request(request: NodeRequest): Promise<Response> {
    return fetch(this.#url, request);
  }

  send(ids: string[] | undefined, frame: string): Promise<void> {
    return this.#process.calls.send(ids, frame);
  }

  has(id: string): Promise<boolean> {
    return this.#process.calls.has(id);
  }

  setData(id: string, value: number): Promise<void> {
    return this.#process.calls.setData(id, value);
  }

  getData(id: string): Promise<unknown> {
    return this.#process.calls.getData(id);
  }

  end(id: string): Promise<number> {
    return this.#process.calls.end(id);
  }

  list(): Promise<string[]> {
    return this.#process.calls.list();
  }

  close(drainMs: number): Promise<void> {
    return this.#process.calls.close(drainMs);
  }

  kill(): void {
    void this.#process.kill();
  }

  /** Kills the process. Throws if it had an unhandled error. */
  async dispose(): Promise<void> {
    await this.#process.kill();
    await this.#process.stop();
  }
}
