/**
 * The key of a request has the form "\nname\nsession ID". No session ID has
 * line breaks, so the events of requests and of sessions can be in one log.
 */
const SEPARATOR = "\n";
const SEPARATOR_CODE = 0x0a;

/** What the names of this process begin with, so that no other has the same. */
let prefix: string | undefined;
const COUNT_DIGITS = 12;
let requests = 0;

/**
 * Returns the key of a new request. Its name has 32 hexadecimal digits. Nobody
 * has to be unable to guess it: only its session can use it.
 *
 * @param sessionId The session ID.
 * @param suffix The end of its name.
 */
export function newRequestKey(sessionId: string, suffix: string): string {
  // Not when the module is loaded: not every runtime has random values then.
  prefix ??= crypto.randomUUID().replaceAll("-", "").slice(0, 20);
  const count = (++requests).toString(16).padStart(COUNT_DIGITS, "0");
  return requestKey(prefix + count + suffix, sessionId);
}

/** Returns the key of the request with a name. */
export function requestKey(name: string, sessionId: string): string {
  return `${SEPARATOR}${name}${SEPARATOR}${sessionId}`;
}

/** Returns the name of the request with a key. */
export function requestName(key: string): string {
  return key.slice(1, key.lastIndexOf(SEPARATOR));
}

/** Returns whether a recipient is a request, and not a session. */
export function isRequestKey(recipient: string): boolean {
  // Faster than `startsWith`: it is called for each event.
  return recipient.charCodeAt(0) === SEPARATOR_CODE;
}

/** Returns the session of a recipient, which may be a request. */
export function sessionIdOf(recipient: string): string {
  return recipient.slice(recipient.lastIndexOf(SEPARATOR) + 1);
}
