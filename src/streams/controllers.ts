import { formatValue } from "../format_value.ts";
import { ClosedError, InvalidArgumentError } from "../errors.ts";

/** Throws if a value is not the controller of a stream. */
export function assertController(
  value: unknown,
): asserts value is ReadableStreamDefaultController {
  const controller = value as Partial<ReadableStreamDefaultController> | null;
  if (
    typeof controller !== "object" || controller === null ||
    typeof controller.enqueue !== "function" ||
    typeof controller.close !== "function" ||
    typeof controller.error !== "function"
  ) {
    throw new InvalidArgumentError(
      "controller",
      "Expected a ReadableStreamDefaultController (the argument of a " +
        `ReadableStream's "start"), but got ${formatValue(value)}.`,
    );
  }
}

/** Returns whether a controller belongs to a byte stream. */
export function isByteController(
  controller: object,
): controller is ReadableByteStreamController {
  return "byobRequest" in controller;
}

/** Closes a stream. Its reader can still read what is queued. */
export function closeController(
  controller: ReadableStreamDefaultController,
): void {
  try {
    controller.close();
    // A pending BYOB read would otherwise never settle.
    if (isByteController(controller)) controller.byobRequest?.respond(0);
  } catch {
    // The stream was already closed, errored or cancelled.
  }
}

/**
 * Ends a stream that was replaced. After `close`, a stream with unread data
 * stays open until all of it is read. If it were cancelled then, the source's
 * `cancel` would delete the session by its ID, and with it the newer stream.
 * `error` prevents that, and does nothing to a stream that has already ended.
 */
export function replaceController(
  controller: ReadableStreamDefaultController,
  id: string,
): void {
  closeController(controller);
  controller.error(
    new ClosedError(
      `Session ${formatValue(id)} has a newer stream, which replaced this one.`,
    ),
  );
}
