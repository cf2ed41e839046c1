/**
 * Runs `main.ts` with servers on Deno, and on Node and Bun where they are
 * found, one after the other; arguments can name the runtimes. Programs are
 * bundled first: all runtimes run the same plain JavaScript, and Node 20 reads
 * no TypeScript. The clients run on Node if it is found, because it reads
 * fastest.
 */
import { bundle, findRuntimes, selectRuntimes } from "../runtimes.ts";
import { compareOverHttp } from "./compare.ts";

const runtimes = await findRuntimes();
const { names, flags } = selectRuntimes(Deno.args, runtimes);
const folder = await Deno.makeTempDir({ prefix: "session-manager-bench-" });
try {
  const programs = {
    main: await bundle("bench/http/main.ts", folder),
    server: await bundle("bench/http/server.ts", folder),
  };
  for (const name of names) {
    if (!await compareOverHttp(runtimes, name, programs, flags)) {
      Deno.exitCode = 1;
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
