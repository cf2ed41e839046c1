import type { EndTarget, NotifyTarget } from "../../contracts/sessions.ts";
import type { JSONRPCNotification } from "../../protocol/mcp_types.ts";

/** What a notifier asks a node to do. */
export type Call =
  | {
    readonly kind: "notify";
    readonly notification: JSONRPCNotification;
    readonly to?: NotifyTarget | undefined;
  }
  | { readonly kind: "end"; readonly target: EndTarget };

/** The result of a call, or the message of its error. */
export interface CallResult {
  readonly value?: number | undefined;
  readonly error?: string | undefined;
}

/** The beginning of the message that announces a call. */
export const ANNOUNCEMENT = "call ";

/** Returns the ID of the call that a message announces, if it does. */
export function announcedCall(message: string): string | undefined {
  return message.startsWith(ANNOUNCEMENT)
    ? message.slice(ANNOUNCEMENT.length)
    : undefined;
}
