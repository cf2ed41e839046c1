import { output, type Program } from "../../scripts/lib/command.ts";
import type { Entry } from "./history.ts";

const NAMES = { deno: "Deno", node: "Node", bun: "Bun" };

/** Returns the name of a runtime with the version of its command. */
export async function versionOf(
  name: string,
  [path]: Program,
): Promise<Entry["runtime"]> {
  // For example "v20.20.2", "1.4.5" or "deno 2.9.6 (stable, …)".
  const text = await output([path], ["--version"]) ?? "";
  return {
    name: NAMES[name as keyof typeof NAMES],
    version: /\d+\.\d+\.\d+/.exec(text)?.[0] ?? "unknown",
  };
}
