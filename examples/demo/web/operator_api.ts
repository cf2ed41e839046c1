import type { Crowd } from "./clients/crowd.ts";
import { eventStream } from "./event_stream.ts";
import type { NodeGroup } from "./nodes/node_group.ts";
import type { NumberedMessages } from "./numbered_messages.ts";
import type { Sampler } from "./sampler.ts";

/** Everything that an operator can see and do. */
export interface Operated {
  readonly group: NodeGroup;
  readonly sampler: Sampler;
  readonly messages: NumberedMessages;
  readonly crowd: Crowd;
}

/**
 * Answers the requests of the page that are no MCP:
 *
 * - `GET /api/state`: the newest sample, and the `stats()` of each node.
 * - `GET /api/samples`: the samples, as server-sent events.
 * - `GET /api/messages`: the recent numbered messages.
 * - `POST /api/send`: sends `{ text }` to everyone, or to one `session`.
 * - `POST /api/stall`: stalls a reader.
 * - `POST /api/kill`, `POST /api/start`: kills or starts a `node`.
 * - `POST /api/crowd`: lets clients come and go, if `isRunning`.
 */
export async function respondToPage(
  { group, sampler, messages, crowd }: Operated,
  request: Request,
): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method === "GET") {
    switch (pathname) {
      case "/api/state":
        return Response.json({
          sample: sampler.samples.at(-1),
          nodes: sampler.nodes,
        });
      case "/api/samples":
        return eventStream(sampler);
      case "/api/messages":
        return Response.json(messages.recent);
    }
  } else if (request.method === "POST") {
    const { text, session, node, isRunning } = await request.json();
    switch (pathname) {
      case "/api/send": {
        const params = { level: "notice", logger: "operator", data: { text } };
        const sender = await group.notify(
          { method: "notifications/message", params },
          session === undefined ? undefined : { sessions: [session] },
        );
        return Response.json({ sender });
      }
      case "/api/stall":
        return Response.json({ session: crowd.stall() });
      case "/api/kill":
        await group.kill(node);
        return Response.json({ node });
      case "/api/start":
        await group.start(node);
        return Response.json({ node });
      case "/api/crowd":
        crowd.isRunning = isRunning === true;
        return Response.json({ isRunning });
    }
  }
  return new Response("Not found.", { status: 404 });
}
