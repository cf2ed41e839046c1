import { type BatchPosition, type Packet, VERSION } from "./protocol.ts";
import { isClusterMessage } from "./protocol_items.ts";

/**
 * Parses and validates a packet; `undefined` if it is malformed or of another
 * version.
 */
export function readPacket(text: unknown): Packet | undefined {
  if (typeof text !== "string") return undefined;
  let packet: Partial<Packet> | null;
  try {
    packet = JSON.parse(text);
  } catch {
    return undefined;
  }
  return typeof packet === "object" && packet?.v === VERSION &&
      typeof packet.from === "string" &&
      Number.isSafeInteger(packet.incarnation) && isPacketBody(packet)
    ? packet as Packet
    : undefined;
}

function isPacketBody(packet: Partial<Packet>): boolean {
  switch (packet.kind) {
    case "heartbeat":
      return isPosition(packet.lastSeq) && areAcks(packet.acks);
    case "join":
    case "unknownPeer":
      return isCount(packet.handshakeId);
    case "joinAck":
      return isCount(packet.handshakeId) && isCount(packet.afterSeq);
    case "batch":
      return isCount(packet.seq) && isPosition(packet.prevSeq) &&
        Array.isArray(packet.messages) &&
        packet.messages.every(isClusterMessage) && isAckBy(packet.ackBy);
    case "ack":
      return isCount(packet.handshakeId) && isCount(packet.seq);
    case "leave":
      return true;
    default:
      return false;
  }
}

function isPosition(
  position: Partial<BatchPosition> | null | undefined,
): boolean {
  const { seq, overrides = {} } = position ?? {};
  return isCount(seq) && typeof overrides === "object" && overrides !== null &&
    Object.values(overrides).every(isCount);
}

function areAcks(acks: unknown): boolean {
  return acks === undefined ||
    typeof acks === "object" && acks !== null &&
      Object.values(acks).every((ack) =>
        Array.isArray(ack) && isCount(ack[0]) && isCount(ack[1])
      );
}

function isAckBy(ackBy: unknown): boolean {
  return ackBy === undefined || ackBy === true || Array.isArray(ackBy);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
