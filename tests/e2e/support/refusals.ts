// Makes a guarded server refuse requests in every possible way, on every
// engine, and prints the statuses. Run by guard_stderr_test.ts, which checks
// that nothing is written to stderr.
import { InMemorySessions } from "@crossmcp/session-manager";
import { engines } from "./serve.ts";
import { INITIALIZE, startServer } from "./server.ts";

const PING = { jsonrpc: "2.0", id: 1, method: "ping" };
const statusesByEngine: number[][] = [];
for (const engine of engines) {
  const sessions = new InMemorySessions({
    info: { maxSessions: 2 },
    streams: { maxSessions: 1 },
  });
  const server = await startServer({
    engine,
    managers: sessions,
    guard: (request, respond) => sessions.guard(request, respond),
  });
  const statuses: number[] = [];
  const send = async (id: string | null, body?: object, method?: string) => {
    const response = await fetch(server.httpUrl, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        "content-type": "application/json",
        ...id !== null && { "mcp-session-id": id },
      },
      ...body && { body: JSON.stringify(body) },
    });
    statuses.push(response.status);
    return response;
  };
  const beginSession = async () => {
    const response = await send(null, INITIALIZE);
    await response.text();
    return response.headers.get("mcp-session-id")!;
  };

  const [first, second] = [await beginSession(), await beginSession()];
  await beginSession();
  const stream = await send(first);
  await (await send(second)).text();
  const newer = await send(first);
  await stream.text();
  for (const id of ["unknown", "no id"]) {
    await (await send(id)).text();
    await (await send(id, PING)).text();
    await (await send(id, undefined, "DELETE")).text();
  }
  await (await send(first, undefined, "DELETE")).text();
  await newer.text();
  await (await send(first)).text();
  await sessions.close();
  await beginSession();
  await (await send(second)).text();
  await server.close();
  statusesByEngine.push(statuses);
}
console.log(JSON.stringify(statusesByEngine));
