import { ClusterError } from "../../errors.ts";
import { MAX_BUFFERED_LENGTH } from "../messaging/retransmit_buffer.ts";

/** The error of a send queue that was cleared because it was too long. */
export function overflow(messages: number, receivers: number): ClusterError {
  return new ClusterError(
    `${format(messages)} messages to other nodes (${receivers}) were ` +
      `dropped: more than ${format(MAX_BUFFERED_LENGTH)} characters were ` +
      "waiting to be sent. Send less, or use a faster message bus.",
  );
}

/** The error of a node that was removed by another one. */
export function removedBy(
  node: string,
  missedHeartbeats: number,
): ClusterError {
  return new ClusterError(
    `Messages of node "${node}" may be lost: it removed this node, ` +
      `because it missed ${missedHeartbeats} heartbeats, or ` +
      `because more than ${format(MAX_BUFFERED_LENGTH)} characters ` +
      "waited for its acknowledgement. Its data is requested again.",
    { node },
  );
}

/** The error of messages that the bus refused again and again. */
export function givenUp(
  bytes: number,
  receivers: readonly string[],
  cause: unknown,
): ClusterError {
  const [only] = receivers.length === 1 ? receivers : [];
  const nodes = receivers.map((name) => `"${name}"`).join(", ");
  return new ClusterError(
    `A packet of ${
      format(bytes)
    } bytes to ${nodes} was given up: the message ` +
      "bus refuses it, and carries others. The streams it was for get a " +
      '"reset". See `cause`. If the packet is too long, set "maxLength" of the ' +
      "message bus to the longest message, in bytes, that it carries.",
    { cause, node: only },
  );
}

function format(count: number): string {
  return count.toLocaleString("en-US");
}
