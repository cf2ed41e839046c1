import { describe } from "../describe.ts";
import { InvalidArgumentError } from "../errors.ts";

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
      `${describe(value)} is no stream controller. Pass the one that a ` +
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
export function end(controller: ReadableStreamDefaultController): void {
  try {
    controller.close();
    // A reader that waits with a buffer of its own gets it back, or waits forever.
    if (isByteController(controller)) controller.byobRequest?.respond(0);
  } catch {
    // Closed, errored or cancelled already: it has ended, which is what we want.
  }
}
