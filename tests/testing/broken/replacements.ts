import { type CreateFaulty, withStreamText } from "./faulty.ts";

/** Sessions with one fault each in `retry`, by the name of the fault. */
export const brokenReplacements: Record<string, CreateFaulty> = {
  "never tells clients to reconnect later": withStreamText((text) =>
    text.replace(/^retry: .*\n/gm, "")
  ),
  "tells every client to reconnect later": withStreamText((text) =>
    text.replace(/^event: message\n/gm, "retry: 5000\n$&")
  ),
  "tells clients the same delay each time": withStreamText((text) =>
    text.replace(/^retry: .*\n/gm, "retry: 1000\n")
  ),
};
