import { formatValue } from "../format_value.ts";
import { LISTENABLE_METHODS } from "./listenable.ts";
import { InvalidArgumentError } from "../errors.ts";
import {
  type JSONRPCNotification,
  LOGGING_LEVELS,
  type LoggingLevel,
} from "./mcp_types.ts";

/** What the parameters of every notification may contain. */
export interface NotificationParams {
  /** Metadata (MCP 2025-11-25, Overview, "_meta"). */
  _meta?: { [key: string]: unknown } | undefined;
}

/** The parameters of `notifications/cancelled`. */
export interface CancelledParams extends NotificationParams {
  /** The ID of the request that the server has sent. */
  requestId: string | number;
  /** Why, for logs or people. */
  reason?: string | undefined;
}

/** The parameters of `notifications/elicitation/complete`. */
export interface ElicitationCompleteParams extends NotificationParams {
  /** The ID of the elicitation. */
  elicitationId: string;
}

/** The parameters of `notifications/message`, a log message. */
export interface LoggingMessageParams extends NotificationParams {
  /** How severe it is. */
  level: LoggingLevel;
  /** Who logs it. */
  logger?: string | undefined;
  /** What is logged: any value that is serializable as JSON. */
  data: unknown;
}

/** The parameters of `notifications/progress`. */
export interface ProgressParams extends NotificationParams {
  /** The token of the request that makes progress. */
  progressToken: string | number;
  /** How far it is. Increases with each notification. */
  progress: number;
  /** How far it will get, if that is known. */
  total?: number | undefined;
  /** What is being done. */
  message?: string | undefined;
}

/** The parameters of `notifications/resources/updated`. */
export interface ResourceUpdatedParams extends NotificationParams {
  /** The URI of the resource. */
  uri: string;
}

/** The parameters of `notifications/tasks/status`. */
export interface TaskStatusParams extends NotificationParams {
  /** The ID of the task. */
  taskId: string;
  /** Its state. */
  status: "working" | "input_required" | "completed" | "failed" | "cancelled";
  /** More about its state, for people. */
  statusMessage?: string | undefined;
  /** When it was created, as in ISO 8601. */
  createdAt: string;
  /** When it was last updated, as in ISO 8601. */
  lastUpdatedAt: string;
  /** For how many milliseconds it is kept; `null` for no limit. */
  ttl: number | null;
  /** How often to ask for it, in milliseconds. */
  pollInterval?: number | undefined;
}

/**
 * The notifications of the specification that servers send, by method, with
 * their parameters.
 */
export interface ServerNotifications {
  /** The server no longer needs a response. */
  "notifications/cancelled": CancelledParams;
  /** The user has finished an elicitation on a web page. */
  "notifications/elicitation/complete": ElicitationCompleteParams;
  /** A log message. */
  "notifications/message": LoggingMessageParams;
  /** A request makes progress. */
  "notifications/progress": ProgressParams;
  /** The list of prompts has changed. */
  "notifications/prompts/list_changed": NotificationParams;
  /** The list of resources has changed. */
  "notifications/resources/list_changed": NotificationParams;
  /** A resource has changed. */
  "notifications/resources/updated": ResourceUpdatedParams;
  /** The state of a task has changed. */
  "notifications/tasks/status": TaskStatusParams;
  /** The list of tools has changed. */
  "notifications/tools/list_changed": NotificationParams;
}

/**
 * The `params` of a notification: those of the specification are typed, and
 * others are any object.
 */
export type ParamsOf<Method extends string> = Method extends
  keyof ServerNotifications
  ? NotificationParams extends ServerNotifications[Method]
    ? { readonly params?: ServerNotifications[Method] | undefined }
  : { readonly params: ServerNotifications[Method] }
  : { readonly params?: { readonly [name: string]: unknown } | undefined };

/** A notification to send. `jsonrpc` is added if it is missing. */
export type ServerNotification<Method extends string = string> =
  & { readonly jsonrpc?: "2.0" | undefined; readonly method: Method }
  & ParamsOf<Method>;

type Check = readonly [
  field: string,
  expected: string,
  isValid: (value: unknown) => boolean,
];

const isString = (value: unknown): boolean => typeof value === "string";
const isId = (value: unknown): boolean =>
  isString(value) || Number.isSafeInteger(value);

/** The parameters that notifications of the specification must have. */
const CHECKS: Readonly<Record<string, readonly Check[]>> = {
  "notifications/cancelled": [["requestId", "a string or an integer", isId]],
  "notifications/elicitation/complete": [
    ["elicitationId", "a string", isString],
  ],
  "notifications/message": [
    [
      "level",
      `one of ${LOGGING_LEVELS.join(", ")}`,
      (level) => LOGGING_LEVELS.includes(level as LoggingLevel),
    ],
    ["data", "a value", (data) => data !== undefined],
  ],
  "notifications/progress": [
    ["progressToken", "a string or an integer", isId],
    ["progress", "a finite number", Number.isFinite],
  ],
  "notifications/resources/updated": [["uri", "a string", isString]],
  "notifications/tasks/status": [
    ["taskId", "a string", isString],
    ["status", "a string", isString],
  ],
};

/** A notification that was checked. */
export interface CheckedNotification {
  readonly notification: JSONRPCNotification;
  /** The same as JSON. */
  readonly text: string;
}

/**
 * Checks a notification (JSON-RPC 2.0, 4.1), and copies what belongs to it.
 *
 * @throws {InvalidArgumentError} If it is not a notification, lacks
 * `notifications/` or a parameter of the specification, or is not serializable as
 * JSON.
 */
export function checkNotification(value: unknown): CheckedNotification {
  if (!isObject(value)) throw invalid("", "an object", value);
  const { jsonrpc = "2.0", method, params } = value;
  if (jsonrpc !== "2.0") throw invalid(".jsonrpc", '"2.0"', jsonrpc);
  if (typeof method !== "string" || method === "") {
    throw invalid(".method", "a string that is not empty", method);
  }
  const full = `notifications/${method}`;
  if (full in CHECKS || LISTENABLE_METHODS.includes(full)) {
    throw invalid(".method", `"${full}"`, method);
  }
  if (value.id !== undefined) {
    throw new InvalidArgumentError(
      "notification.id",
      `A notification has no "id", but this one has ${
        formatValue(value.id)
      }. ` +
        "With an ID it would be a request, whose response belongs to the " +
        "transport of its session.",
    );
  }
  if (params !== undefined && !isObject(params)) {
    throw invalid(".params", "an object", params);
  }
  for (const [field, expected, isValid] of checksOf(method)) {
    const given = params?.[field];
    if (!isValid(given)) throw invalid(`.params.${field}`, expected, given);
  }
  const notification: JSONRPCNotification = {
    jsonrpc,
    method,
    ...params !== undefined && { params },
  };
  let text: string;
  try {
    text = JSON.stringify(notification);
  } catch (cause) {
    throw invalid("", "serializable as JSON", value, cause);
  }
  // Subscribers must not see later changes of the caller's object.
  return { notification: JSON.parse(text), text };
}

function checksOf(method: string): readonly Check[] {
  return Object.hasOwn(CHECKS, method) ? CHECKS[method]! : [];
}

function isObject(
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(
  path: string,
  expected: string,
  value: unknown,
  cause?: unknown,
): InvalidArgumentError {
  const argument = `notification${path}`;
  return new InvalidArgumentError(
    argument,
    `"${argument}" must be ${expected}, but got ${formatValue(value)}.`,
    cause === undefined ? {} : { cause },
  );
}
