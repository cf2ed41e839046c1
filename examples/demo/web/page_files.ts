const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};
const NAME = /^\/(?:([a-z_]+)\.(html|js|css|svg))?$/;
/** The page loads nothing from other places, and no other page embeds it. */
const POLICY = "default-src 'self'; frame-ancestors 'none'";

/** Returns a file of the page. */
export async function pageFile(pathname: string): Promise<Response> {
  const [matches, name = "index", type = "html"] = NAME.exec(pathname) ?? [];
  const path = `${import.meta.dirname}/page/${name}.${type}`;
  try {
    if (matches === undefined) throw new Error("Not a file of the page.");
    return new Response(await Deno.readFile(path), {
      headers: {
        "content-type": TYPES[type]!,
        "content-security-policy": POLICY,
        "cache-control": "no-cache",
      },
    });
  } catch {
    return new Response("Not found.", { status: 404 });
  }
}
