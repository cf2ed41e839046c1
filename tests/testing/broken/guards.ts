import { InvalidArgumentError } from "@crossmcp/session-manager";
import {
  type CreateFaulty,
  withFault,
  withGuard,
  withOptions,
  withPrepareStream,
  withRejections,
} from "./faulty.ts";
import { sessionRegistryOf } from "../../../src/metadata/stored_info_session_manager.ts";

const HEADER = "mcp-session-id";

/** Sessions with one fault each in the guard, by the name of the fault. */
export const brokenGuards: Record<string, CreateFaulty> = {
  "guards nothing": withGuard(async (_next, _sessions, request, respond) =>
    await respond(request) ?? new Response(null, { status: 404 })
  ),
  "accepts session IDs that clients invent": withGuard(
    (next, { info }, request, respond, options) => {
      const id = request.headers.get(HEADER);
      if (id && /^[\x21-\x7E]{1,256}$/.test(id) && request.method === "POST") {
        sessionRegistryOf(info).register(id, {
          principal: options?.principal,
          startEventId: undefined,
        });
      }
      return next(request, respond, options);
    },
  ),
  "accepts sessions that exist only as metadata": withGuard(
    async (next, { info }, request, respond, options) => {
      const id = request.headers.get(HEADER) ?? "";
      const isKnown = await info.getLogLevel(id).then(() => true, () => false);
      const response = await next(request, respond, options);
      if (!isKnown || response.status !== 404) return response;
      return await respond(request) ?? response;
    },
  ),
  "ignores the principal": withGuard(
    (next, _, request, respond) => next(request, respond),
  ),
  "accepts a request without a principal for every session": withGuard(
    async (next, { info }, request, respond, options) => {
      const id = request.headers.get(HEADER) ?? "";
      const { principal } = await sessionRegistryOf(info).registration(id) ??
        options ?? {};
      const isAnonymous = options?.principal === undefined;
      return next(request, respond, isAnonymous ? { principal } : options);
    },
  ),
  "accepts every principal for a session without one": withGuard(
    async (next, { info }, request, respond, options) => {
      const registration = await sessionRegistryOf(info).registration(
        request.headers.get(HEADER) ?? "",
      );
      const hasNoPrincipal = registration &&
        registration.principal === undefined;
      return next(request, respond, hasNoPrincipal ? {} : options);
    },
  ),
  "rejects the sessions of other principals with 403": withGuard(
    async (next, { info }, request, respond, options) => {
      const exists = await sessionRegistryOf(info).registration(
        request.headers.get(HEADER) ?? "",
      );
      const response = await next(request, respond, options);
      return exists && response.status === 404
        ? new Response(response.body, { ...response, status: 403 })
        : response;
    },
  ),
  "sends rejections without a body": withRejections(({ status, headers }) =>
    new Response(null, { status, headers })
  ),
  "uses 404 for every rejection": withRejections((response) =>
    new Response(response.body, { headers: response.headers, status: 404 })
  ),
  "removes the CORS header from rejections": withRejections((response) => {
    response.headers.delete("access-control-allow-origin");
    return response;
  }),
  "removes Retry-After from rejections": withRejections((response) => {
    response.headers.delete("retry-after");
    return response;
  }),
  "rejects a second stream": withGuard(
    async (next, { streams }, request, respond, options) => {
      const id = request.headers.get(HEADER) ?? "";
      return request.method === "GET" && await streams.has(id)
        ? new Response(null, { status: 409 })
        : next(request, respond, options);
    },
  ),
  "ends a stream before its replacement exists": withGuard(
    async (next, { streams }, request, respond, options) => {
      const id = request.headers.get(HEADER) ?? "";
      if (request.method === "GET") await streams.delete(id);
      return next(request, respond, options);
    },
  ),
  "keeps waiting for streams that do not open": withPrepareStream(
    (next, id, intent) => {
      next(id, intent);
      return () => {};
    },
  ),
  "accepts deleted sessions": withFault(({ info }) => {
    const remove = info.delete.bind(info);
    info.delete = async (id) => {
      const registration = await sessionRegistryOf(info).registration(id);
      await remove(id);
      if (registration) {
        await sessionRegistryOf(info).register(id, registration);
      }
    };
  }),
  "reads request bodies": withGuard((next, _, request, respond, options) => {
    // Only the bodies of requests without a session.
    const isNew = !request.headers.has(HEADER);
    if (isNew) void request.clone().body?.getReader().read();
    return next(request, respond, options);
  }),
  "buffers whole responses": withGuard(
    async (next, _, request, respond, options) => {
      const response = await next(request, respond, options);
      if (request.method === "GET" || !response.body) return response;
      return new Response(await response.text(), response);
    },
  ),
  "passes a copy of the request": withGuard((
    next,
    _,
    request,
    respond,
    options,
  ) => next(request, (request) => respond(new Request(request)), options)),
  "passes 2026-07-28 requests without a check": withGuard(
    async (next, _, request, respond, options) => {
      const version = request.headers.get("mcp-protocol-version");
      return version === "2026-07-28"
        ? await respond(request) ?? new Response(null, { status: 404 })
        : next(request, respond, options);
    },
  ),
  "rejects initialize with an unknown session ID": withGuard(
    async (next, _, request, respond, options) => {
      const id = request.headers.get(HEADER);
      const response = await next(request, respond, options);
      const assigned = response.headers.get(HEADER);
      return id !== null && assigned !== null && assigned !== id
        ? new Response(null, { status: 404 })
        : response;
    },
  ),
  "begins a session for every POST with an unknown session ID": withGuard(
    async (next, { info }, request, respond, options) => {
      const id = request.headers.get(HEADER) ?? "";
      const isKnown = await sessionRegistryOf(info).registration(id);
      const isPost = request.method === "POST" && /^[!-~]{1,256}$/.test(id);
      if (isKnown || !isPost) return next(request, respond, options);
      const headers = new Headers(request.headers);
      headers.delete(HEADER);
      return next(new Request(request, { headers }), respond, options);
    },
  ),
  "accepts a GET without a session ID": withGuard(
    async (next, _, request, respond, options) => {
      const isNew = request.method === "GET" && !request.headers.has(HEADER);
      return isNew && await respond(request) ||
        next(request, respond, options);
    },
  ),
  "rejects every GET without a session ID": withGuard(
    async (next, _, request, respond, options) => {
      const isNew = request.method === "GET" && !request.headers.has(HEADER);
      return isNew
        ? Response.json({ error: {} }, { status: 400 })
        : await next(request, respond, options);
    },
  ),
  "keeps the stream of a rejected GET open": withGuard(
    (next, _, request, respond, options) =>
      next(request, async (request) => {
        const response = await respond(request);
        if (request.headers.has(HEADER) || !response?.body) return response;
        const { readable, writable } = new TransformStream();
        response.body.pipeTo(writable, { preventCancel: true }).catch(() => {});
        return new Response(readable, response);
      }, options),
  ),
  "exposes no headers": withGuard(
    async (next, _, request, respond, options) => {
      const response = await next(request, respond, options);
      response.headers.delete("access-control-expose-headers");
      return response;
    },
  ),
  "replaces the headers that the transport exposes": withGuard(
    async (next, _, request, respond, options) => {
      const response = await next(request, respond, options);
      const { headers } = response;
      if (!headers.has("access-control-expose-headers")) return response;
      headers.set("access-control-expose-headers", HEADER);
      return response;
    },
  ),
  "ignores maxBodyBytes": withOptions((options) => ({
    ...options,
    http: { maxBodyBytes: Infinity },
  })),
  "limits only bodies of a known length": withGuard(
    async (next, _, request, respond, options) => {
      if (!request.body || request.headers.has("content-length")) {
        return next(request, respond, options);
      }
      const headers = new Headers(request.headers);
      headers.set("content-length", "0");
      const { method, body } = request;
      const init = { method, headers, body, duplex: "half" } as RequestInit;
      return await next(new Request(request.url, init), respond, options);
    },
  ),
  "knows only 2026-07-28 as a revision without sessions": withGuard(
    (next, _, request, respond, options) => {
      const version = request.headers.get("mcp-protocol-version") ?? "";
      if (version <= "2026-07-28") return next(request, respond, options);
      const headers = new Headers(request.headers);
      headers.delete("mcp-protocol-version");
      return next(new Request(request, { headers }), respond, options);
    },
  ),
  "rejects requests for other paths": withGuard(
    (next, _, request, respond, options) =>
      next(
        request,
        (request) =>
          request.method === "OPTIONS"
            ? new Response(null, { status: 204 })
            : respond(request),
        options,
      ),
  ),
  "throws errors without a type": withFault((sessions) => {
    const guard = sessions.guard.bind(sessions);
    sessions.guard = async (...args) => {
      try {
        return await guard(...args);
      } catch (cause) {
        throw cause instanceof InvalidArgumentError
          ? new Error(cause.message)
          : cause;
      }
    };
  }),
  "applies sessions to 2026-07-28 requests": withGuard(
    (next, _, request, respond, options) => {
      const headers = new Headers(request.headers);
      const id = headers.get(HEADER);
      if (id === null || request.method !== "POST") {
        return next(request, respond, options);
      }
      headers.delete("mcp-protocol-version");
      const { body, method } = request;
      const init = { method, headers, body, duplex: "half" } as RequestInit;
      return next(new Request(request.url, init), respond, options);
    },
  ),
};
