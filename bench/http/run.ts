/**
 * Runs `main.ts` with servers on Deno, and on Node and Bun where they are found,
 * one after the other; names of runtimes as arguments choose among them. Bundled
 * first: the same plain JavaScript for all of them, and Node 20 reads no
 * TypeScript. The clients run on Node if there is one, which reads quicker.
 */
import { bundle, chosenRuntimes, findRuntimes } from "../runtimes.ts";
import { compareOverHttp } from "./compare.ts";

const runtimes = await findRuntimes();
const { chosen, flags } = chosenRuntimes(Deno.args, runtimes);
const folder = await Deno.makeTempDir({ prefix: "session-manager-bench-" });
try {
  const programs = {
    main: await bundle("bench/http/main.ts", folder),
    server: await bundle("bench/http/server.ts", folder),
  };
  for (const name of chosen) {
    if (!await compareOverHttp(runtimes, name, programs, flags)) {
      Deno.exitCode = 1;
    }
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
