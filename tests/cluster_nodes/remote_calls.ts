/** What another thread or process is asked to do: a method of one of its objects. */
export interface Call {
  readonly number: number;
  readonly object: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What became of a call. */
export type Outcome =
  & { readonly number: number }
  & ({ readonly result: unknown } | { readonly error: RemoteError });

/** An error, as far as it is told to another thread or process. */
export interface RemoteError {
  readonly name: string;
  readonly message: string;
}

/** The methods of an object of another thread or process. */
export type Remote<Target> = {
  readonly [
    Name in keyof Target as Target[Name] extends Method ? Name : never
  ]: Target[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

type Method = (...args: never[]) => unknown;

/** Calls a method of an object of this thread, and says what became of it. */
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

/** An object of another thread or process, of which every call is handed on. */
export function remote<Target>(
  ask: (method: string, args: readonly unknown[]) => Promise<unknown>,
): Remote<Target> {
  return new Proxy({}, {
    get: (_, method) =>
      // It is awaited itself now and then, but promises nothing.
      typeof method === "string" && method !== "then"
        ? (...args: unknown[]) => ask(method, args)
        : undefined,
  }) as Remote<Target>;
}
