import type {
  HostedCall,
  SessionHosting,
  SharedHosting,
} from "../contracts/hosting.ts";
import type { RefusalReason } from "../contracts/refusal_reason.ts";
import {
  LimitedRequest,
  parsed,
  type ReadBody,
  readMessage,
  withKnownBody,
} from "../http/request_body.ts";
import { isTemporary, refusalResponse } from "../http/refusals.ts";
import { EVENT_STREAM_HEADERS } from "../http/session_requests.ts";
import { isEventStream } from "../protocol/sse.ts";
import { type MessageId, requestIdOf } from "../requests/message_target.ts";
import { asObject } from "./messages.ts";
import type { SdkFetchOptions } from "./options.ts";
import type { SdkAuthInfo } from "./sdk_types.ts";

/** How often a session may move while its request is under way. */
const MAX_ATTEMPTS = 3;

/** Either the response of another node, or the request, to be answered here. */
export type Forwarded =
  | { readonly response: Response; readonly request?: undefined }
  | { readonly response?: undefined; readonly request: Request };

/** Hands requests to the node that has the server of their session. */
export class RemoteHost {
  readonly #hosting: SessionHosting;
  readonly #shared: SharedHosting;
  #forwarded = 0;

  constructor(hosting: SessionHosting, shared: SharedHosting) {
    this.#hosting = hosting;
    this.#shared = shared;
  }

  /** How many requests were handed to other nodes. */
  get forwarded(): number {
    return this.#forwarded;
  }

  /**
   * Hands a request to the host of its session.
   *
   * @param sessionId The session.
   * @param request The request. Its body is read if there is another host.
   * @param caller Who sends it.
   * @param rebuild Makes this node the host, if there is no other. Returns false
   * if there is one by now.
   */
  async forward(
    sessionId: string,
    request: Request,
    caller: SdkFetchOptions,
    rebuild: () => Promise<boolean>,
  ): Promise<Forwarded> {
    try {
      return await this.#forward(sessionId, request, caller, rebuild);
    } catch (error) {
      // Nobody can tell at the moment which node has the server.
      if (isTemporary(error)) return this.#refuse("unavailable", caller);
      throw error;
    }
  }

  async #forward(
    sessionId: string,
    request: Request,
    caller: SdkFetchOptions,
    rebuild: () => Promise<boolean>,
  ): Promise<Forwarded> {
    let read: { body: ReadBody; call: HostedCall } | undefined;
    // A copy is only created if it is needed.
    const answerHere = () => ({ request: read?.body.copy ?? request });
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const host = await this.#shared.findHost(sessionId);
      if (host === undefined) {
        if (await rebuild()) return answerHere();
        continue;
      }
      if (read === undefined) {
        const limited = new LimitedRequest(request, this.#hosting.maxBodyBytes);
        // The guard refuses it.
        if (limited.isTooLarge) return { request };
        const body = await readMessage(limited.request, this.#hosting);
        if (limited.isTooLarge) return this.#refuse("tooLarge", caller);
        if (body.isSlow) return this.#refuse("slowBody", caller);
        read = { body, call: callOf(sessionId, request, body.body, caller) };
      }
      const result = await this.#shared.forward(host, read.call);
      const id = requestIdOf(read.body.message);
      if ("response" in result) {
        this.#forwarded++;
        const { response, isComplete } = result;
        if (isComplete || !isEventStream(response)) return { response };
        return { response: await this.#passOn(sessionId, id, response) };
      }
      if (result.failure === "interrupted") {
        return { response: await this.#passOn(sessionId, id, undefined) };
      }
      // It never started, or it drains: the server is created again here.
      if (await rebuild()) return answerHere();
    }
    return this.#refuse("unavailable", caller);
  }

  /** Refuses a request that does not reach the guard. */
  #refuse(
    reason: RefusalReason,
    { principal }: SdkFetchOptions,
  ): { readonly response: Response } {
    this.#hosting.onRefuse(reason, principal);
    return { response: refusalResponse(reason) };
  }

  /**
   * Passes on an event stream; undefined if the other node died before it began.
   */
  async #passOn(
    sessionId: string,
    id: MessageId | undefined,
    response: Response | undefined,
  ): Promise<Response> {
    const { body } = response ?? {};
    const rest = await this.#hosting.passOn(sessionId, id, body ?? undefined);
    if (rest === undefined) return response ?? refusalResponse("unavailable");
    const init = response ?? { headers: EVENT_STREAM_HEADERS };
    return new Response(rest, init);
  }
}

/** Returns the request that another node has handed over. */
export function requestOf(
  { url, method, headers, body }: HostedCall,
): Request {
  const init = { method, headers: headers as [string, string][] };
  if (body === undefined) return new Request(url, init);
  const request = new Request(url, { ...init, body });
  return withKnownBody(request, { text: body, message: parsed(body) });
}

/** Returns who has sent such a request. */
export function callerOf({ principal, caller }: HostedCall): SdkFetchOptions {
  const { authInfo } = asObject(caller);
  if (authInfo === undefined) return { principal };
  const { resource, ...rest } = asObject(authInfo);
  const revived = typeof resource === "string"
    ? { ...rest, resource: new URL(resource) }
    : rest;
  return { principal, authInfo: revived as unknown as SdkAuthInfo };
}

function callOf(
  session: string,
  { url, method, headers }: Request,
  body: string | undefined,
  { principal, authInfo }: SdkFetchOptions,
): HostedCall {
  return {
    session,
    url,
    method,
    headers: [...headers],
    body,
    principal,
    ...authInfo && { caller: { authInfo } },
  };
}
