const COMMANDS: Partial<Record<typeof Deno.build.os, readonly string[]>> = {
  darwin: ["open"],
  windows: ["cmd", "/c", "start"],
};

/** Opens a page in the browser, if there is one. */
export function openBrowser(url: URL): void {
  const [program = "", ...args] = COMMANDS[Deno.build.os] ?? ["xdg-open"];
  try {
    new Deno.Command(program, {
      args: [...args, url.href],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn().unref();
  } catch {
    // The address is printed.
  }
}
