import {
  formatSseEvent,
  InMemorySessions,
  type InMemorySessionsOptions,
  type Sessions,
} from "@crossmcp/session-manager";
import type { SdkHandler } from "@crossmcp/session-manager/sdk";
import { serve, type Served } from "../../e2e/support/serve.ts";
import { callerOf } from "./caller.ts";
import { Probe, type Sdk, type ServeOptions } from "./servers.ts";

/** A server of the official SDK that is listening. */
export interface Handled extends AsyncDisposable {
  readonly url: URL;
  readonly sessions: Sessions;
  readonly handler: SdkHandler;
  readonly probe: Probe;
  /** The errors that were reported to `onError`. */
  readonly reported: readonly Error[];
  readonly served: Served;
}

/** Starts a server of the official SDK, in one process. */
export async function startHandled(
  sdk: Sdk,
  { serve: options, ...more }: InMemorySessionsOptions & {
    readonly serve?: ServeOptions;
  } = {},
): Promise<Handled> {
  const reported: Error[] = [];
  const sessions = new InMemorySessions({
    streams: { replay: {} },
    onError: (error) => reported.push(error),
    ...more,
  });
  const probe = new Probe();
  const handler = sdk.serve(sessions, probe, options);
  const served = await serve((request) =>
    handler.fetch(request, callerOf(request))
  );
  return {
    url: new URL("/mcp", served.url),
    sessions,
    handler,
    probe,
    reported,
    served,
    [Symbol.asyncDispose]: async () => {
      await sessions.close();
      await served.close();
    },
  };
}

/** A notification as a frame. */
export function frameOf(method: string): string {
  return formatSseEvent({
    event: "message",
    data: JSON.stringify({ jsonrpc: "2.0", method }),
  });
}

/** Returns the result of a tool, parsed. */
export function resultOf(result: unknown): unknown {
  const { content } = result as { content: { text: string }[] };
  return JSON.parse(content[0]!.text);
}
