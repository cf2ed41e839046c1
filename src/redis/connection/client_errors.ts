import { ClusterError } from "../../errors.ts";
import { subscriberModeError } from "../clients/refusals.ts";
import {
  isDeniedError,
  isSubscriberModeError,
  messageOf,
} from "./redis_errors.ts";

/** Explains why clients or a server cannot be used. */
export function toClientError(error: unknown): Error {
  if (error instanceof ClusterError) return error;
  if (isSubscriberModeError(error)) {
    return subscriberModeError("publisher", { cause: error });
  }
  const message = messageOf(error);
  return new ClusterError(
    `${message.replace(/\.?$/, ".")} ${remedyFor(error)}`,
    {
      cause: error,
    },
  );
}

/** Where the documents list the permissions. */
export const PERMISSIONS: string =
  "https://github.com/crossmcp/session-manager/blob/main/docs/redis.md#permissions";

/** What to do about an error reply of the server, or an error of a client. */
function remedyFor(error: unknown): string {
  const message = messageOf(error);
  if (isDeniedError(error)) {
    return `Redis denies a command to this user. Allow what ${PERMISSIONS} lists.`;
  }
  if (/\b(?:NOAUTH|WRONGPASS)\b/.test(message)) {
    return "Redis requires a login. Check the user name and password of the clients.";
  }
  if (/unknown command/i.test(message)) {
    return "The server does not have this command. Use Redis 6.2 or later.";
  }
  if (/\b(?:CROSSSLOT|MOVED)\b/.test(message)) {
    return "Use the cluster client of your library to connect to a Redis Cluster.";
  }
  return "The clients or their server cannot be used. Pass two connected clients " +
    "of Redis 6.2 or later.";
}

/**
 * Returns an error for a subscriber connection that is not there yet.
 *
 * @param isReplaceable Whether another one is opened.
 */
export function unsubscribedError(isReplaceable: boolean): ClusterError {
  const effect = isReplaceable
    ? "A new connection is being opened."
    : "Check whether the subscriber is connected.";
  return new ClusterError(
    "The subscriber connection is not ready, although Redis answers. Until it " +
      `is, this node receives nothing of other nodes. ${effect} If that ` +
      "happens again, check firewalls and proxies in front of Redis.",
  );
}

/**
 * Returns an error for a subscriber connection that is silent.
 *
 * @param isReplaceable Whether it is replaced.
 */
export function silenceError(isReplaceable: boolean): ClusterError {
  const effect = isReplaceable
    ? "It is being replaced by a new connection."
    : "Reconnect the subscriber: until then, events arrive late with replay, " +
      "and messages of other nodes are lost without it.";
  return new ClusterError(
    "The subscriber connection is silent: Redis publishes messages of this " +
      `node, but it receives none of them. ${effect} If that happens again, ` +
      "check firewalls and proxies that drop idle connections, and turn on " +
      "pings or TCP keep-alive in the client.",
  );
}
