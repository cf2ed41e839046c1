/** The one place of the benches that tells runtimes apart. */
const { Deno, Bun, process } = globalThis as unknown as {
  Deno?: { version: { deno: string } };
  Bun?: { version: string };
  process: {
    argv: string[];
    versions: { node: string };
    exit(code: number): never;
  };
};

/** What runs this. */
export const runtime: { name: "Deno" | "Node" | "Bun"; version: string } =
  Deno !== undefined
    ? { name: "Deno", version: Deno.version.deno }
    : Bun !== undefined
    ? { name: "Bun", version: Bun.version }
    : { name: "Node", version: process.versions.node };

/** What it was started with. */
export const flags: string[] = process.argv.slice(2);

/** Ends the program. */
export const exit = (code: number): never => process.exit(code);
