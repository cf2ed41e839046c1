import type { AddressedMessage, Batch, LostMessages } from "../protocol.ts";

/**
 * How many characters of session IDs are named. If there are more, the loss
 * concerns everyone: the notice must be short.
 */
const MAX_NAMED_LENGTH = 1_000;

/**
 * Shortens a batch that the bus refuses to about half of its length: notices
 * take the place of its longest messages.
 *
 * @param batch The serialized batch.
 * @returns `undefined` if only notices are left.
 */
export function withoutLongest(batch: string): string | undefined {
  const packet = JSON.parse(batch) as Batch;
  const { messages } = packet;
  const lengths = messages.map((message) =>
    message.kind === "lost" ? 0 : JSON.stringify(message).length
  );
  let left = lengths.reduce((sum, length) => sum + length, 0);
  if (left === 0) return undefined;
  const maxLeft = left / 2;
  const longest = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]!);
  const dropped = new Set<number>();
  for (const index of longest) {
    if (left <= maxLeft) break;
    dropped.add(index);
    left -= lengths[index]!;
  }
  const first = Math.min(...dropped);
  const shortened = messages.flatMap((message, index) => {
    if (!dropped.has(index)) return [message];
    // One place for all of them, to keep the notices short.
    return index === first ? noticesOf(messages, dropped) : [];
  });
  return JSON.stringify({ ...packet, messages: shortened });
}

/** Returns one notice for each receiver of the messages that were dropped. */
function noticesOf(
  messages: readonly AddressedMessage[],
  dropped: ReadonlySet<number>,
): AddressedMessage[] {
  const byReceiver = new Map<string | undefined, AddressedMessage[]>();
  for (const index of [...dropped].sort((a, b) => a - b)) {
    const message = messages[index]!;
    const others = byReceiver.get(message.only);
    if (others === undefined) byReceiver.set(message.only, [message]);
    else others.push(message);
  }
  return [...byReceiver].map(([only, lost]) => ({ ...noticeOf(lost), only }));
}

function noticeOf(messages: readonly AddressedMessage[]): LostMessages {
  const ids = new Set<string>();
  let length = 0;
  let isForAll = false;
  let hasForwards = false;
  let seq: number | undefined;
  for (const message of messages) {
    hasForwards ||= message.kind.startsWith("forward");
    if (message.kind !== "send") continue;
    seq = message.seq ?? seq;
    isForAll ||= message.sessions === undefined;
    for (const id of message.sessions ?? []) {
      if (length > MAX_NAMED_LENGTH) break;
      if (!ids.has(id)) length += id.length;
      ids.add(id);
    }
  }
  isForAll ||= length > MAX_NAMED_LENGTH;
  return {
    kind: "lost",
    sessions: isForAll ? undefined : [...ids],
    seq,
    hasForwards: hasForwards || undefined,
  };
}
