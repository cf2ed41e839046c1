import {
  deepStrictEqual,
  fail,
  match,
  ok,
  strictEqual,
} from "node:assert/strict";
import type { Sessions } from "../../contracts/sessions.ts";

/**
 * Expects that a call throws, or rejects, with an error of this name. Returns
 * the error.
 */
export async function assertThrowsOrRejects(
  call: () => unknown,
  errorName: string,
  what: string,
): Promise<unknown> {
  const error = await errorOf(call);
  if (error === undefined) fail(`${what} is not refused.`);
  strictEqual(
    (error as Error).name,
    errorName,
    `${what} is refused with another error: ${error}`,
  );
  return error;
}

/**
 * Expects that a promise rejects with an error of this name, and that the call
 * does not throw.
 */
export async function assertRejects(
  call: () => Promise<unknown>,
  errorName: string,
  what: string,
): Promise<void> {
  let promise: Promise<unknown>;
  try {
    promise = call();
  } catch (error) {
    fail(`${what} throws in place: ${error}`);
  }
  await assertThrowsOrRejects(() => promise, errorName, what);
}

/** Expects that a getter rejects, with any error. */
export async function assertNotFound(
  get: () => unknown,
  what: string,
): Promise<void> {
  if (await errorOf(get) === undefined) fail(`${what} still finds something.`);
}

/**
 * Expects that a response refuses a request: with this status, and a JSON-RPC
 * error with the ID null. Returns its body.
 */
export async function assertErrorResponse(
  status: number,
  response: Response,
  what: string,
): Promise<string> {
  strictEqual(response.status, status, what);
  match(response.headers.get("content-type") ?? "", /^application\/json/, what);
  const body = await response.text();
  const { jsonrpc, id, error } = JSON.parse(body);
  strictEqual(jsonrpc, "2.0", what);
  strictEqual(id, null, what);
  ok(Number.isSafeInteger(error.code), what);
  ok(typeof error.message === "string" && error.message !== "", what);
  return body;
}

async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error ?? new Error("Something empty was thrown.");
  }
}

/** Expects that no client got a `reset`. */
export function assertNoResets(sessions: Pick<Sessions, "stats">): void {
  const none = { unknown: 0, purged: 0, future: 0 };
  deepStrictEqual(sessions.stats().resets, none);
}
