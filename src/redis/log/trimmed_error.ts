import { ClusterError } from "../../errors.ts";

/** Returns the error for broadcasts that a node could not read any more. */
export function trimmedError(): ClusterError {
  return new ClusterError(
    "Broadcasts were trimmed before this node had read them: it was " +
      'disconnected for too long, or the limits of "replay" are too low. ' +
      "Its open streams got a reset.",
  );
}
