// The process of a node: process_node.ts starts it and calls its objects.
import process from "node:process";
import { createInterface } from "node:readline";
import { answer, type Call } from "../../cluster_nodes/remote_calls.ts";
import { serve } from "../../e2e/support/serve.ts";
import { fromLine, toLine } from "../../redis/support/json_lines.ts";
import { LocalNode } from "./local_node.ts";
import type { NodeConfig } from "./node_handle.ts";
import type { Notice } from "./process_node.ts";

/** How often it says what it knows of others, in milliseconds. */
const STATE_MS = 20;

const config = JSON.parse(process.argv[2]!) as NodeConfig;
const say = (value: unknown) => void process.stdout.write(toLine(value));
const notice = (value: Notice) => say(value);
for (const event of ["unhandledRejection", "uncaughtException"] as const) {
  process.on(event, (error: unknown) => {
    const text = error instanceof Error ? error.stack : String(error);
    say({ failure: `${event}: ${text}` });
  });
}

async function start(): Promise<LocalNode> {
  const node = await LocalNode.make(
    config,
    undefined,
    ({ name, message }) => notice({ error: { name, message } }),
  );
  const { url } = await serve(
    (request) => node.respond(request),
    "toNodeHandler",
  );
  let said = "";
  const sayState = () => {
    const { state } = node;
    if (JSON.stringify(state) === said) return;
    said = JSON.stringify(state);
    notice({ state });
  };
  sayState();
  setInterval(sayState, STATE_MS);
  notice({ url: `${url}/mcp` });
  return node;
}

const calls = await start();
for await (const line of createInterface({ input: process.stdin })) {
  void answer({ calls }, fromLine(line) as Call).then(say);
}
process.exit();
