/** The only place in the benches that distinguishes runtimes. */
const { Deno, Bun, process } = globalThis as unknown as {
  Deno?: { version: { deno: string } };
  Bun?: { version: string };
  process: {
    argv: string[];
    versions: { node: string };
    exit(code: number): never;
  };
};

/** The runtime of this process. */
export const runtime: { name: "Deno" | "Node" | "Bun"; version: string } =
  Deno !== undefined
    ? { name: "Deno", version: Deno.version.deno }
    : Bun !== undefined
    ? { name: "Bun", version: Bun.version }
    : { name: "Node", version: process.versions.node };

/** The command-line arguments. */
export const flags: string[] = process.argv.slice(2);

/** Ends the process. */
export const exit = (code: number): never => process.exit(code);
