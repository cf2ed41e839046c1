import { formatValue } from "../runtime/describe.ts";
import { ClosedError, InvalidArgumentError } from "../errors.ts";

/** Refuses what is no controller of a stream. */
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
      `${formatValue(value)} is no stream controller. Pass the one that a ` +
        'ReadableStream hands to "start".',
    );
  }
}

/** Whether it is that of a stream of bytes. */
export function isByteController(
  controller: object,
): controller is ReadableByteStreamController {
  return "byobRequest" in controller;
}

/** Closes a stream; what it holds can still be read. */
export function closeController(
  controller: ReadableStreamDefaultController,
): void {
  try {
    controller.close();
    // A reader that waits with a buffer of its own gets it back, or waits forever.
    if (isByteController(controller)) controller.byobRequest?.respond(0);
  } catch {
    // Closed, errored or cancelled already: it has ended, which is what we want.
  }
}

/**
 * Ends a stream for good. One that holds unread data stays open after `close`
 * until the last of it is read, and cancelling it then would run the source's
 * `cancel`, which deletes the session by its id, the newer stream's included.
 * `error` does nothing to a stream that `close` has ended.
 */
export function replaceController(
  controller: ReadableStreamDefaultController,
  id: string,
): void {
  closeController(controller);
  controller.error(
    new ClosedError(`Session ${formatValue(id)} has a newer stream.`),
  );
}
