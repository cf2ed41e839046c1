import type { Entrant } from "../paired_rounds.ts";

/** Answers requests, as a server does. */
export type Serve = (request: Request) => Promise<Response | null>;

/** The calls of an entrant. */
export interface Calls {
  /** The session; without one, a new session begins. */
  readonly id?: string;
  /** The number of runs in a round. */
  readonly runs: number;
  /** The number of calls in a run. */
  readonly calls: number;
  /** The ID of the first request of a run. */
  readonly firstId: number;
}

const VERSION = "2025-06-18";

/** Sends a message in a session; an empty ID stands for no session. */
export function post(
  serve: Serve,
  id: string,
  message: object,
): Promise<Response | null> {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  return serve(
    new Request("http://localhost/mcp", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": VERSION,
        ...id !== "" && { "mcp-session-id": id },
        // As every client sends it.
        "content-length": `${body.length}`,
      },
      body,
    }),
  );
}

/** Begins a session; returns its ID. */
export async function begin(serve: Serve): Promise<string> {
  const response = await post(serve, "", {
    id: 1,
    method: "initialize",
    params: {
      protocolVersion: VERSION,
      capabilities: {},
      clientInfo: { name: "bench", version: "1.0.0" },
    },
  });
  await response!.text();
  return response!.headers.get("mcp-session-id")!;
}

/** Calls the tool "small", which responds with "done", many times. */
export async function caller(
  serve: Serve,
  { id: given, runs, calls, firstId }: Calls,
): Promise<Entrant> {
  const id = given ?? await begin(serve);
  const params = { name: "small", arguments: {} };
  return {
    prepare: () => {},
    finish: () => Promise.resolve(),
    runs,
    run: async () => {
      for (let call = firstId; call < firstId + calls; call++) {
        const message = { id: call, method: "tools/call", params };
        const response = await post(serve, id, message);
        if (!(await response!.text()).includes("done")) throw new Error("lost");
      }
    },
  };
}
