import { InvalidArgumentError } from "../../errors.ts";
import { formatValue } from "../../format_value.ts";

const SUPPORTED =
  "Pass a client of node-redis 5 or 6 (client, cluster or sentinel), of " +
  "ioredis 5 or 6 (client or cluster), or Bun's RedisClient";

/** What clients reveal about themselves. */
interface Clues {
  readonly then?: unknown;
  readonly send_command?: unknown;
  readonly totalClients?: unknown;
  readonly isOpen?: unknown;
  readonly status?: unknown;
  readonly mode?: unknown;
  readonly options?: { readonly keyPrefix?: unknown } | undefined;
}

/** Throws for a value that is not an object, or not a client that fits. */
export function assertUsable(
  name: string,
  client: unknown,
): asserts client is object {
  const refuse = (problem: string): never => {
    throw new InvalidArgumentError(name, `"${name}" ${problem}`);
  };
  if (typeof client === "string") {
    // A URL may contain a password.
    refuse(
      "must be a connected Redis client, but got a string. Create one from " +
        'the URL, for example with "await createClient({ url }).connect()" ' +
        "of node-redis.",
    );
  }
  if (typeof client === "function") {
    refuse("must be a Redis client, but got a class. Pass an instance of it.");
  }
  if (typeof client !== "object" || client === null) {
    refuse(
      `must be a Redis client, but got ${formatValue(client)}. ${SUPPORTED}.`,
    );
  }
  const { then, send_command, totalClients, isOpen, status, mode, options } =
    client as Clues;
  if (typeof then === "function") {
    refuse("must be a Redis client, but got a promise. Await it first.");
  }
  if (typeof send_command === "function" && status === undefined) {
    refuse(
      "is a client of node-redis 3 or older, which is not supported. Update " +
        "to version 5 or later.",
    );
  }
  if (totalClients !== undefined) {
    refuse(
      "is a pool, whose connections change the order of commands. Pass a " +
        "single client, from createClient().",
    );
  }
  if (isOpen === false) {
    refuse(
      `is a closed Redis client. Connect it first: await ${name}.connect().`,
    );
  }
  if (status === "end") {
    refuse("is a closed client of ioredis. Pass one that is connected.");
  }
  if (mode === "monitor") {
    refuse("is a client of ioredis in monitor mode. Pass another client.");
  }
  if (typeof status === "string" && options?.keyPrefix) {
    refuse(
      `has the "keyPrefix" ${formatValue(options.keyPrefix)}, which ioredis ` +
        'adds to some of the names in scripts. Use the option "prefix" of this ' +
        'package, and a client without "keyPrefix".',
    );
  }
}

/** Throws if a client lacks a method that its role needs. */
export function assertMethods(
  name: string,
  client: object,
  methods: readonly string[],
): void {
  for (const method of methods) {
    if (typeof (client as Record<string, unknown>)[method] === "function") {
      continue;
    }
    throw new InvalidArgumentError(
      name,
      `"${name}" is an unknown kind of Redis client, without a method ` +
        `"${method}". ${SUPPORTED}, or write the methods of ` +
        `"RedisPublisher" and "RedisSubscriber" for yours.`,
    );
  }
}

/** Throws for a client of ioredis that is in subscriber mode. */
export function assertNotSubscribed(name: string, client: object): void {
  if ((client as Clues).mode !== "subscriber") return;
  throw subscriberModeError(name);
}

/** Returns an error for a client that is in subscriber mode. */
export function subscriberModeError(
  name: string,
  options?: ErrorOptions,
): InvalidArgumentError {
  return new InvalidArgumentError(
    name,
    `"${name}" is in subscriber mode, in which it cannot send commands. Pass ` +
      "a client that has not subscribed to anything.",
    options,
  );
}

/** Returns an error for a client that cannot open a second connection. */
export function singleConnectionError(name: string): InvalidArgumentError {
  return new InvalidArgumentError(
    name,
    `"${name}" cannot open the second connection that is needed to receive ` +
      'messages: it has no method "duplicate". Pass two clients: ' +
      "{ publisher, subscriber }.",
  );
}
