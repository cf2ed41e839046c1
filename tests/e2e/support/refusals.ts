// Lets a guarded server refuse what can be refused, on every engine, and prints
// what it answered. Run by guard_stderr_test.ts in a process of its own, which
// has nothing to say on its standard error.
import { InMemorySessions } from "@crossmcp/session-manager";
import { engines } from "./serve.ts";
import { INITIALIZE, startServer } from "./server.ts";

const statuses: number[][] = [];
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
  const answers: number[] = [];
  const send = async (id: string | null, body?: object, method?: string) => {
    const response = await fetch(server.httpUrl, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        "content-type": "application/json",
        ...id !== null && { "mcp-session-id": id },
      },
      ...body && { body: JSON.stringify(body) },
    });
    answers.push(response.status);
    return response;
  };
  const begin = async () => {
    const response = await send(null, INITIALIZE);
    await response.text();
    return response.headers.get("mcp-session-id")!;
  };

  const [first, second] = [await begin(), await begin()];
  await begin();
  const stream = await send(first);
  await (await send(second)).text();
  const newer = await send(first);
  await stream.text();
  for (const id of ["unknown", "no id"]) {
    await (await send(id)).text();
    await (await send(id, INITIALIZE)).text();
    await (await send(id, undefined, "DELETE")).text();
  }
  await (await send(first, undefined, "DELETE")).text();
  await newer.text();
  await (await send(first)).text();
  await sessions.close();
  await begin();
  await (await send(second)).text();
  await server.close();
  statuses.push(answers);
}
console.log(JSON.stringify(statuses));
