import { type Program, ROOT } from "../../scripts/lib/command.ts";
import type { Findings, Suite } from "./figures.ts";
import { imports, sizes } from "./package_suites.ts";

/** How much to measure. */
export interface Effort {
  readonly isShort: boolean;
  /** The suites to run; all by default. */
  readonly suites?: readonly string[];
}

/** The results of one suite. */
export interface SuiteFindings extends Findings {
  readonly suite: string;
}

const ROUNDS = { short: 5, full: 11 };

/**
 * Measures on a runtime.
 *
 * @param program The command that runs a script.
 * @param bundle The path of the bundled program.ts.
 * @param onFindings Called with the results of each suite.
 */
export async function measure(
  program: Program,
  bundle: string,
  { isShort, suites }: Effort,
  onFindings: (findings: SuiteFindings) => void = () => {},
): Promise<SuiteFindings[]> {
  const rounds = isShort ? ROUNDS.short : ROUNDS.full;
  const found: SuiteFindings[] = [];
  const note = (findings: SuiteFindings) => {
    found.push(findings);
    onFindings(findings);
  };
  const own: Suite[] = [sizes, imports(program)];
  for (const { name, run } of own) {
    if (suites !== undefined && !suites.includes(name)) continue;
    note({ suite: name, ...await run(rounds) });
  }
  const others = suites?.filter((name) =>
    own.every((suite) => suite.name !== name)
  );
  if (others?.length === 0) return found;
  const [path, ...first] = program;
  const child = new Deno.Command(path, {
    args: [
      ...first,
      bundle,
      `${rounds}`,
      isShort ? "short" : "all",
      ...others ?? [],
    ],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  for await (const line of lines(child.stdout)) note(JSON.parse(line));
  const { success } = await child.status;
  if (!success) throw new Error(`Measuring with ${path} failed.`);
  return found;
}

async function* lines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
