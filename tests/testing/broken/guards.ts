import { expected, type Faulty, faulty, guarded, refusing } from "./faulty.ts";
import { sessionRegistryOf } from "../../../src/metadata/stored_info_session_manager.ts";

const HEADER = "mcp-session-id";

/** Sessions with one fault each in how they guard a transport. */
export const brokenGuards: Record<string, Faulty> = {
  "guards nothing": guarded(async (_next, _sessions, request, respond) =>
    await respond(request) ?? new Response(null, { status: 404 })
  ),
  "adopts ids": guarded((next, { info }, request, respond, options) => {
    const id = request.headers.get(HEADER);
    if (id && /^[\x21-\x7E]{1,256}$/.test(id) && request.method === "POST") {
      sessionRegistryOf(info).register(id, {
        principal: options?.principal,
        startEventId: undefined,
      });
    }
    return next(request, respond, options);
  }),
  "knows whoever has metadata": guarded(
    async (next, { info }, request, respond, options) => {
      const id = request.headers.get(HEADER) ?? "";
      const isKnown = await info.getLogLevel(id).then(() => true, () => false);
      const response = await next(request, respond, options);
      if (!isKnown || response.status !== 404) return response;
      return await respond(request) ?? response;
    },
  ),
  "takes every principal for the same": guarded(
    (next, _, request, respond) => next(request, respond),
  ),
  "takes no principal for every one": guarded(
    async (next, { info }, request, respond, options) => {
      const id = request.headers.get(HEADER) ?? "";
      const { principal } = await sessionRegistryOf(info).registration(id) ??
        options ?? {};
      const isNobody = options?.principal === undefined;
      return next(request, respond, isNobody ? { principal } : options);
    },
  ),
  "lets everyone into what nobody began": guarded(
    async (next, { info }, request, respond, options) => {
      const registration = await sessionRegistryOf(info).registration(
        request.headers.get(HEADER) ?? "",
      );
      const isNobodys = registration && registration.principal === undefined;
      return next(request, respond, isNobodys ? {} : options);
    },
  ),
  "forbids what is another's": guarded(
    async (next, { info }, request, respond, options) => {
      const isThere = await sessionRegistryOf(info).registration(
        request.headers.get(HEADER) ?? "",
      );
      const response = await next(request, respond, options);
      return isThere && response.status === 404
        ? new Response(response.body, { ...response, status: 403 })
        : response;
    },
  ),
  "says nothing with a refusal": refusing(({ status, headers }) =>
    new Response(null, { status, headers })
  ),
  "answers every refusal in the same way": refusing((response) =>
    new Response(response.body, { headers: response.headers, status: 404 })
  ),
  "keeps other origins in the dark": refusing((response) => {
    response.headers.delete("access-control-allow-origin");
    return response;
  }),
  "tells nobody when to come back": refusing((response) => {
    response.headers.delete("retry-after");
    return response;
  }),
  "refuses a second stream": guarded(
    async (next, { streams }, request, respond, options) => {
      const id = request.headers.get(HEADER) ?? "";
      return request.method === "GET" && await streams.has(id)
        ? new Response(null, { status: 409 })
        : next(request, respond, options);
    },
  ),
  "ends a stream before there is another": guarded(
    async (next, { streams }, request, respond, options) => {
      const id = request.headers.get(HEADER) ?? "";
      if (request.method === "GET") await streams.delete(id);
      return next(request, respond, options);
    },
  ),
  "waits for streams that do not come": expected((next, id, expectation) => {
    next(id, expectation);
    return () => {};
  }),
  "remembers what was deleted": faulty(({ info }) => {
    const forget = info.delete.bind(info);
    info.delete = async (id) => {
      const registration = await sessionRegistryOf(info).registration(id);
      await forget(id);
      if (registration) {
        await sessionRegistryOf(info).register(id, registration);
      }
    };
  }),
  "reads bodies": guarded((next, _, request, respond, options) => {
    // Only those of new clients.
    const isNew = !request.headers.has(HEADER);
    if (isNew) void request.clone().body?.getReader().read();
    return next(request, respond, options);
  }),
  "collects responses": guarded(
    async (next, _, request, respond, options) => {
      const response = await next(request, respond, options);
      if (request.method === "GET" || !response.body) return response;
      return new Response(await response.text(), response);
    },
  ),
  "copies requests": guarded((next, _, request, respond, options) =>
    next(request, (request) => respond(new Request(request)), options)
  ),
  "hands the header to the per-request era": guarded(
    async (next, _, request, respond, options) => {
      const version = request.headers.get("mcp-protocol-version");
      return version === "2026-07-28"
        ? await respond(request) ?? new Response(null, { status: 404 })
        : next(request, respond, options);
    },
  ),
  "guards the per-request era": guarded(
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
