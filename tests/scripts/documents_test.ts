import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { checkDocuments, headingAnchors } from "../../scripts/lib/documents.ts";

const URL = "https://example.com/project";

/** The problems in these documents, as `path:line message`. */
function check(
  documents: Record<string, string>,
  sources: Record<string, string> = {},
): string[] {
  const shipped = (path: string) =>
    path === "README.md" || path.startsWith("docs/");
  return checkDocuments({
    documents: new Map(Object.entries(documents)),
    sources: new Map(Object.entries(sources)),
    url: URL,
    exists: (path) => path in documents || path in sources,
    isShipped: shipped,
  }).map(({ path, line, message }) => `${path}:${line} ${message}`);
}

describe("checkDocuments", () => {
  it("accepts links to files and headings that exist", () => {
    assertEquals(
      check({
        "README.md": "See [Redis](docs/redis.md#keys-and-channels).\n" +
          `[All](${URL}/blob/main/docs/redis.md#keys-and-channels)\n` +
          "[elsewhere](https://example.org/x#y)",
        "docs/redis.md": "## Keys and channels\n\n[here](#keys-and-channels) " +
          "[back](../README.md)",
      }),
      [],
    );
  });

  it("finds links to missing files and headings", () => {
    assertEquals(
      check({
        "README.md": "[Redis](docs/redis.md#permissions)\n[x](docs/nats.md)",
        "docs/redis.md": "## Keys",
      }),
      [
        'README.md:1 The link to "docs/redis.md#permissions" is broken: docs/redis.md has no such heading.',
        'README.md:2 The link to "docs/nats.md" is broken: there is no docs/nats.md.',
      ],
    );
  });

  it("finds links in the error messages of the sources", () => {
    assertEquals(
      check({ "docs/redis.md": "## Keys" }, {
        "src/errors.ts":
          `const HELP =\n  "${URL}/blob/main/docs/redis.md#permissions";`,
      }),
      [
        'src/errors.ts:2 The link to "docs/redis.md#permissions" is broken: docs/redis.md has no such heading.',
      ],
    );
  });

  it("finds links from published documents to files that are not published", () => {
    assertEquals(
      check({ "README.md": "[How](ARCHITECTURE.md)", "ARCHITECTURE.md": "" }),
      [
        'README.md:1 The link to "ARCHITECTURE.md" leads to a file that is not published. Link to the repository instead.',
      ],
    );
  });

  it("finds fused tables, and rows of another width", () => {
    const fused = [
      "| Key | Holds |",
      "| --- | ----- |",
      "| a   | b     |",
      "| Load | Fills first | When |",
      "| ---- | ----------- | ---- |",
      "| c    | d           | e    |",
    ].join("\n");
    assertEquals(check({ "docs/redis.md": fused }), [
      "docs/redis.md:4 The row has 3 cells, its header 2.",
      "docs/redis.md:5 Two tables are fused: there is a second header.",
      "docs/redis.md:6 The row has 3 cells, its header 2.",
    ]);
  });

  it("finds tables without a line below the header", () => {
    assertEquals(check({ "docs/a.md": "| a | b |\n| c | d |" }), [
      "docs/a.md:1 The table has no line of dashes below its header.",
    ]);
  });

  it("ignores links and tables in code", () => {
    assertEquals(
      check({ "README.md": "```md\n[x](y.md)\n| a |\n```\n`[x](y.md)`" }),
      [],
    );
  });
});

describe("headingAnchors", () => {
  it("makes the anchors that GitHub makes", () => {
    const text =
      "# Known limitations\n## `start(node, receive)`\n## A\n## A\n" +
      "## [TLS](x) & more";
    assertEquals([...headingAnchors(text)], [
      "known-limitations",
      "startnode-receive",
      "a",
      "a-1",
      "tls--more",
    ]);
  });
});
