import type { SessionHosting } from "../contracts/hosting.ts";
import type { SdkFetchOptions, SdkHandlerOptions } from "./options.ts";
import type {
  CreateMcpHandler,
  SdkMcpHandler,
  SdkServerEventBus,
} from "./sdk_types.ts";

/** Answers requests of the per-request era with `createMcpHandler`. */
export class PerRequestHandler {
  readonly #handler: SdkMcpHandler;
  /** Who has sent a request: the SDK does not pass that on. */
  readonly #callers: WeakMap<Request, SdkFetchOptions> = new WeakMap();

  /**
   * @param createServer Creates the server of a request.
   * @param createMcpHandler The function of the SDK.
   * @param bus Carries changes to all nodes.
   * @param hosting Reports errors of servers.
   */
  constructor(
    createServer: SdkHandlerOptions["createServer"],
    createMcpHandler: CreateMcpHandler,
    bus: SdkServerEventBus,
    hosting: SessionHosting,
  ) {
    this.#handler = createMcpHandler(async ({ authInfo, requestInfo }) => {
      const caller = requestInfo && this.#callers.get(requestInfo);
      try {
        return await createServer({
          sessionId: undefined,
          principal: caller?.principal,
          authInfo,
        });
      } catch (error) {
        hosting.report(error as Error);
        throw error;
      }
    }, {
      legacy: "reject",
      bus,
      // The guard limits bodies.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    });
  }

  /** Answers a request. */
  fetch(request: Request, caller: SdkFetchOptions): Promise<Response> {
    this.#callers.set(request, caller);
    const { authInfo } = caller;
    return this.#handler.fetch(request, authInfo && { authInfo });
  }

  /** Ends what is running. */
  close(): Promise<void> {
    return this.#handler.close();
  }
}
