/**
 * Calls back for each rejection and error that nobody handles, instead of
 * ending the process.
 *
 * @returns Stops that.
 */
export function watchUnhandled(
  onUnhandled: (what: string) => void,
): () => void {
  const onRejection = (event: Event) => {
    event.preventDefault();
    const { reason } = event as Event & { reason: unknown };
    onUnhandled(`unhandled rejection: ${(reason as Error)?.stack ?? reason}`);
  };
  const onError = (event: Event) => {
    event.preventDefault();
    const { error } = event as Event & { error: unknown };
    onUnhandled(`uncaught error: ${(error as Error)?.stack ?? error}`);
  };
  globalThis.addEventListener("unhandledrejection", onRejection);
  globalThis.addEventListener("error", onError);
  return () => {
    globalThis.removeEventListener("unhandledrejection", onRejection);
    globalThis.removeEventListener("error", onError);
  };
}
