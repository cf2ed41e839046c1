import type { Sessions } from "@crossmcp/session-manager";
import type { NodeReport } from "./node_config.ts";
import type { StreamEvents } from "./serve_node.ts";

/** A node, as its operator sees it. */
export interface OperatedNode {
  readonly sessions: Sessions;
  readonly events: StreamEvents;
  readonly token: string;
}

/**
 * Answers the requests of the demo itself, which are no MCP:
 *
 * - `GET /operator/report`: a {@linkcode NodeReport}.
 * - `GET /operator/sessions`: how many sessions all nodes know.
 * - `POST /operator/notify`: sends a notification to everyone, or to `to`.
 */
export async function respondToOperator(
  { sessions, events, token }: OperatedNode,
  request: Request,
): Promise<Response> {
  if (request.headers.get("authorization") !== `Bearer ${token}`) {
    return new Response("Only for the demo.", { status: 403 });
  }
  switch (new URL(request.url).pathname) {
    case "/operator/report": {
      const { resumed, evicted } = events;
      const report: NodeReport = { stats: sessions.stats(), resumed, evicted };
      return Response.json(report);
    }
    case "/operator/sessions":
      return Response.json(await countSessions(sessions));
    case "/operator/notify": {
      const { notification, to } = await request.json();
      await sessions.notify(notification, to);
      return new Response(null, { status: 204 });
    }
    default:
      return new Response("Unknown path.", { status: 404 });
  }
}

async function countSessions(sessions: Sessions): Promise<number> {
  let count = 0;
  for await (const _session of sessions.list()) count++;
  return count;
}
