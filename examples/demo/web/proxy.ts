import type { NodeGroup } from "./nodes/node_group.ts";

/**
 * Passes an MCP request to the next node, and its response back. Stands in for
 * the load balancer of a real deployment.
 */
export async function passOn(
  group: NodeGroup,
  request: Request,
): Promise<Response> {
  const { method, headers, signal } = request;
  const { pathname, search } = new URL(request.url);
  const passed = new Headers(headers);
  passed.delete("host");
  passed.set("accept-encoding", "identity");
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? await request.bytes() : null;
  for (const { running } of group.inTurn()) {
    const url = `http://127.0.0.1:${running!.port}${pathname}${search}`;
    try {
      const response = await fetch(url, {
        method,
        headers: passed,
        body,
        signal,
        redirect: "manual",
      });
      return new Response(response.body, response);
    } catch {
      if (signal.aborted) break;
      // The node has just died: try the next one.
    }
  }
  return new Response("No node answers.", {
    status: 503,
    headers: { "retry-after": "1" },
  });
}
