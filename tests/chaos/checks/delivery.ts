import { HEARTBEAT_MS } from "../nodes/chaos_node.ts";
import type { ChaosClient, Connection } from "../client.ts";
import type { History, Sent } from "../history.ts";

/** For how long messages are sent again when a new log begins. */
const RECENT_MS = 30 * HEARTBEAT_MS;

/** Returns what a client has received twice, out of order, or of others. */
export function checkDelivery(history: History, replay: boolean): string[] {
  return history.clients.flatMap((client) =>
    [
      ...foreignEvents(history, client),
      ...doubles(history, client),
      ...disorder(history, client, replay),
    ].map((problem) => `${client.name} ${problem}`)
  );
}

function foreignEvents(history: History, client: ChaosClient): string[] {
  const { sent } = history;
  return client.received.flatMap(({ text, connection }) => {
    if (text === undefined) return [];
    const message = sent.get(text);
    if (message === undefined) return [`got "${text}", which nobody sent`];
    if (message.to?.has(client) === false) {
      return [`got "${text}", which was for others`];
    }
    // What a node kept in an outage also reaches sessions that began in it.
    const isKept = history.isDisturbed(message.at, client.beganAt) ||
      mayBeRepeated(history, message, connection);
    return message.settledAt < client.askedAt && !isKept
      ? [`got "${text}", which is older than its session`]
      : [];
  });
}

/**
 * Returns whether a message comes again to a stream that was opened in an
 * outage, because it was sent shortly before a new log began.
 */
function mayBeRepeated(
  history: History,
  { at }: Pick<Sent, "at">,
  { requestedAt }: Connection,
): boolean {
  return history.hasNewLog(at, at + RECENT_MS) &&
    history.isDisturbed(requestedAt, requestedAt);
}

/**
 * Messages of an outage may come twice (guarantees.md, "Redis"), without an ID
 * and with one, and those shortly before it to streams that were opened in it. The
 * same event never does.
 */
function doubles(history: History, client: ChaosClient): string[] {
  const { received } = client;
  const problems: string[] = [];
  const ids = new Set<string>();
  const texts = new Set<string>();
  for (const { text, eventId, hasOwnId, connection } of received) {
    if (text === undefined) continue;
    const { at, settledAt } = history.sent.get(text) ?? { at: 0, settledAt: 0 };
    const isAllowed = history.isDisturbed(at, settledAt) ||
      mayBeRepeated(history, { at }, connection);
    const key = `${eventId} ${text}`;
    const isSameEvent = hasOwnId && ids.has(key);
    const isDouble = texts.has(text) && !isAllowed;
    if (isSameEvent) problems.push(`got the event ${eventId} twice: "${text}"`);
    else if (isDouble) problems.push(`got "${text}" twice`);
    if (hasOwnId) ids.add(key);
    texts.add(text);
  }
  return problems;
}

/**
 * Messages of one sender arrive on a stream in order, except for what was sent
 * while the client moved (guarantees.md, "Order during a move").
 */
function disorder(
  history: History,
  { received }: ChaosClient,
  replay: boolean,
): string[] {
  const problems: string[] = [];
  const newest = new Map<string, Sent>();
  const seen = new Set<string>();
  for (const { text, connection } of received) {
    const sent = text === undefined ? undefined : history.sent.get(text);
    if (sent === undefined || seen.has(sent.text)) continue;
    seen.add(sent.text);
    const key = `${connection.number} ${sent.sender.name}`;
    const before = newest.get(key);
    if (before === undefined || before.number < sent.number) {
      newest.set(key, sent);
      continue;
    }
    const isMoving = sent.at < connection.connectedAt;
    const isDisturbed = history.isDisturbed(sent.at, before.settledAt);
    if (isMoving && (isDisturbed || !replay)) continue;
    problems.push(`got "${sent.text}" after "${before.text}"`);
  }
  return problems;
}
