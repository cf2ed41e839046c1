import { ClusterError } from "../../errors.ts";
import { isDeniedError } from "./redis_errors.ts";
import { Script } from "./script.ts";

type Send = (args: string[]) => Promise<unknown>;

/** The oldest supported release of Redis. */
const MIN_VERSION = [6, 2] as const;

/**
 * Returns the run ID of a server; `undefined` without permission to ask.
 *
 * @param send Sends a command.
 * @throws {ClusterError} If the server is too old.
 */
export async function identifyServer(send: Send): Promise<string | undefined> {
  let info: string;
  try {
    info = String(await send(["INFO", "server"]));
  } catch (error) {
    // Without permission to ask, the version is assumed to be fine.
    if (isDeniedError(error)) return undefined;
    throw error;
  }
  const [, version = ""] = /redis_version:(\S+)/.exec(info) ?? [];
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [minMajor, minMinor] = MIN_VERSION;
  const isOld = major < minMajor || major === minMajor && minor < minMinor;
  if (version !== "" && isOld) {
    throw new ClusterError(
      `Redis ${version} is not supported. Use version ${
        MIN_VERSION.join(".")
      } or later.`,
    );
  }
  return /run_id:(\S+)/.exec(info)?.[1];
}

/**
 * Loads all scripts into a server, so that their first call finds them.
 *
 * @param send Sends a command.
 */
export async function loadScripts(send: Send): Promise<void> {
  try {
    await Promise.all(Script.all.map(async (script) => {
      script.sha = String(await send(["SCRIPT", "LOAD", script.text]));
    }));
  } catch (error) {
    // Without that permission, scripts are sent in full.
    if (!isDeniedError(error)) throw error;
  }
}
