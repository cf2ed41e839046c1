import process from "node:process";
import { createInterface } from "node:readline";
import { fromLine, toLine } from "../redis/support/json_lines.ts";
import { type MakeNode, NodeActions } from "./node_actions.ts";
import { answering } from "./node_objects.ts";
import type { Call } from "./remote_calls.ts";

/**
 * Runs a node in this process: its parent calls its objects, one line each. Other
 * output goes to stderr.
 *
 * @param make Creates the node.
 */
export async function runNode(make: MakeNode): Promise<void> {
  const node = new NodeActions(make, () => process.stdin.destroy());
  const answer = answering(node);
  const say = (value: unknown) => void process.stdout.write(toLine(value));
  // An unhandled error is a fault of the node on every runtime.
  for (const event of ["unhandledRejection", "uncaughtException"] as const) {
    process.on(event, (error: unknown) => {
      const text = error instanceof Error ? error.stack : String(error);
      say({ failure: `${event}: ${text}` });
    });
  }
  for await (const line of createInterface({ input: process.stdin })) {
    const call = fromLine(line) as Call;
    void answer(call).then(say);
  }
  process.exit();
}
