import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import pg from "pg";
import { freePort, ServerProcess } from "../../support/server_process.ts";

/** How long to create the files of a server may take, in milliseconds. */
const INIT_MS = 60_000;

/** The folder of the programs: Debian keeps them off the PATH. */
const PROGRAMS = [...debianFolders(), ""].find((folder) =>
  spawnSync(join(folder, "initdb"), ["--version"]).status === 0
);
/** PostgreSQL refuses to run as root. */
const AS_USER = process.getuid?.() === 0
  ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
  : [];

/** Whether there is a PostgreSQL server to start. */
export const hasPostgres: boolean = PROGRAMS !== undefined &&
  (AS_USER.length === 0 ||
    spawnSync(AS_USER[0]!, [...AS_USER.slice(1), "true"]).status === 0);

/** Defines a group of tests that need PostgreSQL; skipped if there is none. */
export function describePostgres(name: string, define: () => void): void {
  describe(name, () => {
    if (hasPostgres) define();
    else it.skip("needs PostgreSQL (initdb and postgres)", () => {});
  });
}

/** A PostgreSQL server for the tests, on a free port. */
export class PostgresServer extends ServerProcess {
  readonly port: number;
  readonly #folder: string;

  private constructor(port: number, folder: string) {
    super({
      command: [
        ...AS_USER,
        join(PROGRAMS!, "postgres"),
        ...["-D", join(folder, "data"), "-k", folder, "-p", `${port}`],
        // A killed server needs no file to be complete.
        ...["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"],
      ],
      answers: () => answers(port),
    });
    this.port = port;
    this.#folder = folder;
  }

  /** Starts a server, and waits until it responds. */
  static async start(): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), "mcp-postgres-"));
    chmodSync(folder, 0o777);
    const [program, ...args] = [
      ...AS_USER,
      join(PROGRAMS!, "initdb"),
      ...["-D", join(folder, "data"), "-U", "test", "--auth=trust"],
      ...["--no-sync", "--encoding=UTF8", "--locale=C"],
    ];
    const { status, stderr } = spawnSync(program!, args, {
      timeout: INIT_MS,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
    const server = new PostgresServer(await freePort(), folder);
    await server.start();
    return server;
  }

  /** Also sends it to the processes that serve connections. */
  override signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    const children = name === "SIGKILL" ? [] : childrenOf(this.pid);
    super.signal(name);
    for (const pid of children) process.kill(pid, name);
  }

  /** Kills it, and deletes its files. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Creates a pool. */
export function poolOf(port: number, max: number = 2): pg.Pool {
  const pool = new pg.Pool({
    host: "127.0.0.1",
    port,
    user: "test",
    database: "postgres",
    max,
    connectionTimeoutMillis: 2_000,
    // The connections of a pool must not keep a process alive.
    allowExitOnIdle: true,
  });
  // Idle clients fail when the server is killed.
  pool.on("error", () => {});
  return pool;
}

async function answers(port: number): Promise<boolean> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port,
    user: "test",
    database: "postgres",
    connectionTimeoutMillis: 2_000,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

function childrenOf(pid: number | undefined): number[] {
  const { stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", `${pid}`], {
    encoding: "utf8",
  });
  return stdout.trim().split(/\s+/).filter(Boolean).map(Number);
}

function debianFolders(): string[] {
  try {
    return readdirSync("/usr/lib/postgresql")
      .map((version) => `/usr/lib/postgresql/${version}/bin`);
  } catch {
    return [];
  }
}
