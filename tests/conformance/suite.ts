import { NPM } from "../../scripts/lib/command.ts";
import {
  addChecks,
  type Check,
  type Outcome,
  type Results,
} from "./results.ts";

/** A release of the suite, and the scenarios to run. */
interface Run {
  readonly release: string;
  /** Defaults to all scenarios. */
  readonly scenario?: string;
  readonly specVersion?: string;
}

// 0.1.16 has no scenario that ends a session, and none for 2026-07-28.
const NEWER = "0.2.0-alpha.12";
const RUNS: readonly Run[] = [
  { release: "0.1.16" },
  {
    release: NEWER,
    scenario: "server-session-lifecycle",
    specVersion: "2025-11-25",
  },
  { release: NEWER, scenario: "server-stateless", specVersion: "2026-07-28" },
];

const INSTALL_MS = 120_000;
// A request without a response takes a minute.
const RUN_MS = 90_000;

const PACKAGE = "@modelcontextprotocol/conformance";

/** The path of an installed release, and the Node to run it with. */
interface Installed {
  readonly node: string;
  readonly script: string;
}

/** The official suite from npm. */
export class Suite {
  readonly #installed: ReadonlyMap<string, Installed>;

  private constructor(installed: ReadonlyMap<string, Installed>) {
    this.#installed = installed;
  }

  /** Installs the missing packages. */
  static async install(): Promise<Suite> {
    const installed = new Map<string, Installed>();
    for (const { release } of RUNS) {
      if (!installed.has(release)) {
        installed.set(release, await install(release));
      }
    }
    return new Suite(installed);
  }

  /**
   * Tests a server.
   *
   * @param url The address of the server.
   * @param folder A folder that only the suite uses.
   */
  async test(url: URL, folder: string): Promise<Results> {
    const results = new Map<string, Outcome>();
    for (const [index, { release, scenario, specVersion }] of RUNS.entries()) {
      const own = `${folder}/${index}`;
      const args = ["server", `--url=${url}`, `--output-dir=${own}`];
      args.push(scenario ? `--scenario=${scenario}` : "--suite=all");
      if (specVersion) args.push(`--spec-version=${specVersion}`);
      const installed = this.#installed.get(release)!;
      const printed = await execute(installed, args);
      const expected = scenario ? [scenario] : await listScenarios(installed);
      const made = await readChecks(own);
      for (const scenario of expected) {
        const nothing = [{ id: scenario, status: "FAILURE" }];
        addChecks(results, scenario, made.get(scenario) ?? nothing);
      }
      if (expected.some((scenario) => !made.has(scenario))) {
        console.error(`The suite did not finish:\n${printed}`);
      }
    }
    return results;
  }
}

async function install(release: string): Promise<Installed> {
  // npx could run the suite as well, but a kill would not reach the suite.
  const { stdout, stderr } = await new Deno.Command(NPM, {
    args: [
      "exec",
      "--yes",
      // The suite needs Node 22; the Node on the PATH may be older.
      "--package=node@22",
      `--package=${PACKAGE}@${release}`,
      "--",
      "node",
      "-p",
      "JSON.stringify([process.execPath,process.env.PATH])",
    ],
    stdin: "null",
    signal: AbortSignal.timeout(INSTALL_MS),
  }).output();
  const decoder = new TextDecoder();
  const answer = decoder.decode(stdout).trim();
  if (answer === "") {
    throw new Error(
      `${PACKAGE}@${release} could not be installed: ${decoder.decode(stderr)}`,
    );
  }
  const [node, path] = JSON.parse(answer);
  for (const folder of path.split(Deno.build.os === "windows" ? ";" : ":")) {
    const script = `${folder}/../${PACKAGE}/dist/index.js`;
    if (await exists(script)) return { node, script };
  }
  throw new Error(`${PACKAGE}@${release} is not where npm installed it.`);
}

/** Runs the suite; returns its output, whether or not it succeeded. */
async function execute(
  { node, script }: Installed,
  args: readonly string[],
): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(node, {
    args: [script, ...args],
    stdin: "null",
    signal: AbortSignal.timeout(RUN_MS),
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

async function listScenarios(installed: Installed): Promise<string[]> {
  const printed = await execute(installed, ["list", "--server"]);
  const names = [...printed.matchAll(/^ +- ([\w-]+) \[/gm)];
  if (names.length === 0) {
    throw new Error(`The suite reported no scenarios:\n${printed}`);
  }
  return names.map(([, name = ""]) => name);
}

/** Reads the checks of each scenario from the folders that the suite wrote. */
async function readChecks(folder: string): Promise<Map<string, Check[]>> {
  const made = new Map<string, Check[]>();
  if (!await exists(folder)) return made;
  for await (const { name } of Deno.readDir(folder)) {
    // "server-", the scenario, and the time.
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT[-\dZ]+$/.exec(name)?.[1];
    const path = `${folder}/${name}/checks.json`;
    if (scenario && await exists(path)) {
      made.set(scenario, JSON.parse(await Deno.readTextFile(path)));
    }
  }
  return made;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
