/** A call of a method of an object in another thread or process. */
export interface Call {
  readonly number: number;
  readonly object: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** The result of a call. */
export type Outcome =
  & { readonly number: number }
  & ({ readonly result: unknown } | { readonly error: RemoteError });

/** An error, as it is sent to another thread or process. */
export interface RemoteError {
  readonly name: string;
  readonly message: string;
}

/** The methods of an object in another thread or process. */
export type Remote<Target> = {
  readonly [
    Name in keyof Target as Target[Name] extends Method ? Name : never
  ]: Target[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

type Method = (...args: never[]) => unknown;

/** Calls a method of an object of this thread, and returns the result. */
export async function answer(
  objects: Readonly<Record<string, object>>,
  { number, object, method, args }: Call,
): Promise<Outcome> {
  try {
    const target = objects[object] as Record<string, Method>;
    return { number, result: await target[method]!(...args as never[]) };
  } catch (error) {
    const { name, message } = error instanceof Error
      ? error
      : new Error(String(error));
    return { number, error: { name, message } };
  }
}

/**
 * A proxy of an object in another thread or process, which forwards every call.
 */
export function remote<Target>(
  ask: (method: string, args: readonly unknown[]) => Promise<unknown>,
): Remote<Target> {
  return new Proxy({}, {
    get: (_, method) =>
      // The proxy is awaited now and then, but is not a promise.
      typeof method === "string" && method !== "then"
        ? (...args: unknown[]) => ask(method, args)
        : undefined,
  }) as Remote<Target>;
}
