const EVENT_ID = /^([0-9a-f]{16})-(0|[1-9][0-9]{0,15})$/;

/** The ID of an event in a log. */
export interface LogEventId {
  /** The log. */
  readonly epoch: string;
  /** The position in it. */
  readonly offset: number;
}

/** Parses the ID of an event in a log; undefined if it is malformed. */
export function parseLogEventId(id: string): LogEventId | undefined {
  const [, epoch, offset] = EVENT_ID.exec(id) ?? [];
  return epoch === undefined ? undefined : { epoch, offset: Number(offset) };
}
