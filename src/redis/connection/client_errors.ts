import { ClusterError, InvalidArgumentError } from "../../errors.ts";
import { isSubscriberModeError, messageOf } from "./redis_errors.ts";

/** Explains why clients or a server cannot be used. */
export function toClientError(error: unknown): Error {
  if (error instanceof ClusterError) return error;
  if (isSubscriberModeError(error)) {
    return new InvalidArgumentError(
      "publisher",
      'The Redis client "publisher" is in subscriber mode, in which it can send ' +
        "nothing. Hand in two clients: publisher, and publisher.duplicate() as " +
        "subscriber.",
      { cause: error },
    );
  }
  return new ClusterError(
    `Redis refuses what is needed: ${
      messageOf(error)
    }. The README has the ACL ` +
      "rule with all that the user of the clients has to be allowed.",
    { cause: error },
  );
}
