/**
 * The messages that forward a request to another node and stream its response
 * back. The caller chooses the ID, and grants how much may be sent: `head` is
 * for free, `data` is not.
 *
 * @module
 */
import type { HostedCall } from "../../contracts/hosting.ts";
import type { MessageTarget } from "../../requests/message_target.ts";

/** What is asked of the other node. */
export type ForwardedCall =
  /** Hand a message to the transport that works on its target. */
  | {
    readonly purpose: "deliver";
    readonly session: string;
    readonly target: MessageTarget;
    readonly url: string;
    readonly headers: readonly Header[];
    readonly body: string;
  }
  /** Connect to the event stream of a request. */
  | {
    readonly purpose: "resume";
    readonly session: string;
    readonly lastEventId: string;
    readonly prime: true | "named";
  }
  /** Let the server of a session answer a request. */
  | { readonly purpose: "host" } & HostedCall;

/** A header of HTTP. */
export type Header = readonly [name: string, value: string];

/** A message between the two nodes. */
export type ForwardMessage =
  | {
    readonly kind: "forwardCall";
    readonly id: number;
    readonly call: ForwardedCall;
    /** How many characters may be sent at first. */
    readonly credit: number;
  }
  /** The node works on the request: it must not be repeated. */
  | { readonly kind: "forwardStart"; readonly id: number }
  /** The response begins; without a status, there is none. */
  | {
    readonly kind: "forwardHead";
    readonly id: number;
    readonly status?: number | undefined;
    readonly headers?: readonly Header[] | undefined;
    readonly hasBody?: boolean | undefined;
  }
  | {
    readonly kind: "forwardData";
    readonly id: number;
    readonly text: string;
  }
  | {
    readonly kind: "forwardEnd";
    readonly id: number;
    /** Whether the body failed. */
    readonly isFailed?: boolean | undefined;
  }
  /** From the caller: so many characters were read, and may be sent again. */
  | {
    readonly kind: "forwardCredit";
    readonly id: number;
    readonly credit: number;
  }
  /** From the caller: nobody reads the rest. */
  | { readonly kind: "forwardCancel"; readonly id: number };
