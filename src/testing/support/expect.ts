import { fail, match, ok, strictEqual } from "node:assert/strict";

/**
 * Expects a call to be refused, in place or as a rejected promise, with an error
 * of that name.
 */
export async function refused(
  call: () => unknown,
  errorName: string,
  what: string,
): Promise<void> {
  const error = await errorOf(call);
  if (error === undefined) fail(`${what} is not refused.`);
  strictEqual(
    (error as Error).name,
    errorName,
    `${what} is refused with another error: ${error}`,
  );
}

/** Expects a promise to reject with an error of that name, not to throw in place. */
export async function rejects(
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
  await refused(() => promise, errorName, what);
}

/** Expects a getter to find nothing, whatever it says of that. */
export async function forgotten(
  get: () => unknown,
  what: string,
): Promise<void> {
  if (await errorOf(get) === undefined) fail(`${what} still finds something.`);
}

/**
 * Expects a response that refuses a request: of that status, with an error of
 * JSON-RPC for no request in particular. Answers its body.
 */
export async function refusedWith(
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
