// Loaded by processes, which have no map for imports of @std.
import type { SdkFetchOptions } from "@crossmcp/session-manager/sdk";

/** The header whose value becomes the principal. */
export const USER_HEADER = "x-user";
/** The header whose value becomes the access token. */
export const TOKEN_HEADER = "x-token";

/** Simulates authentication. */
export function callerOf({ headers }: Request): SdkFetchOptions {
  const principal = headers.get(USER_HEADER) ?? undefined;
  const token = headers.get(TOKEN_HEADER);
  if (token === null) return { principal };
  const resource = new URL("https://example.com/mcp");
  return {
    principal,
    authInfo: { token, clientId: "client", scopes: [], resource },
  };
}
