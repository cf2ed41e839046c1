import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import {
  findViolations,
  MAX_FILES,
  MAX_LINES,
} from "../../scripts/lib/layers.ts";

/** The violations in these files, without their messages. */
function find(files: Record<string, string>) {
  return findViolations(new Map(Object.entries(files)))
    .map(({ message: _, ...violation }) => violation);
}

describe("findViolations", () => {
  it("accepts imports from lower rooms and from the same room", () => {
    assertEquals(
      find({
        "mod.ts": `export * from "./src/in_memory/sessions.ts";`,
        "src/in_memory/sessions.ts":
          `import { a } from "../streams/a.ts"; import "../errors.ts";`,
        "src/streams/a.ts": `import type { B } from "./deep/b.ts";`,
        "src/streams/deep/b.ts": `import { x } from "../../runtime/x.ts";`,
        "src/runtime/x.ts": "",
        "src/errors.ts": "",
      }),
      [],
    );
  });

  it("finds an import from a higher room, also of types", () => {
    assertEquals(
      find({
        "src/streams/a.ts": `import type { B } from "../cluster/b.ts";`,
        "src/cluster/b.ts": "",
      }),
      [{ path: "src/streams/a.ts", rule: "layer", target: "src/cluster/b.ts" }],
    );
  });

  it("finds a re-export and a dynamic import from a higher room", () => {
    assertEquals(
      find({
        "src/http/a.ts": `export * from "../in_memory/b.ts";`,
        "src/errors.ts": `const b = await import("./runtime/b.ts");`,
        "src/in_memory/b.ts": "",
        "src/runtime/b.ts": "",
      }),
      [
        { path: "src/http/a.ts", rule: "layer", target: "src/in_memory/b.ts" },
        { path: "src/errors.ts", rule: "layer", target: "src/runtime/b.ts" },
      ],
    );
  });

  it("finds an import from another room of the same layer", () => {
    assertEquals(
      find({
        "src/replay/a.ts": `import { b } from "../metadata/b.ts";`,
        "src/metadata/b.ts": "",
      }),
      [{ path: "src/replay/a.ts", rule: "layer", target: "src/metadata/b.ts" }],
    );
  });

  it("finds an import of an entry point from inside", () => {
    assertEquals(
      find({
        "mod.ts": "",
        "src/in_memory/a.ts": `import { b } from "../../mod.ts";`,
      }),
      [{ path: "src/in_memory/a.ts", rule: "layer", target: "mod.ts" }],
    );
  });

  it("finds a room that is missing from the order", () => {
    assertEquals(find({ "src/shiny/a.ts": "" }), [
      { path: "src/shiny/a.ts", rule: "layer" },
    ]);
  });

  it("ignores imports in comments", () => {
    assertEquals(
      find({
        "src/errors.ts": `
          /** import { a } from "./streams/a.ts"; */
          // import { a } from "./streams/a.ts";
        `,
        "src/streams/a.ts": "",
      }),
      [],
    );
  });

  it("finds a circle of imports, and shows it", () => {
    const found = findViolations(
      new Map(Object.entries({
        "src/streams/a.ts": `import { b } from "./b.ts";`,
        "src/streams/b.ts": `import { c } from "./c.ts";`,
        "src/streams/c.ts": `import type { A } from "./a.ts";`,
        "src/streams/d.ts": `import { a } from "./a.ts";`,
      })),
    );
    assertEquals(found.map(({ path, rule }) => [path, rule]), [
      ["src/streams/a.ts", "cycle"],
    ]);
    assertEquals(
      found[0]?.message.includes(
        "src/streams/a.ts > src/streams/b.ts > src/streams/c.ts > src/streams/a.ts",
      ),
      true,
    );
  });

  it("finds a file that imports itself", () => {
    assertEquals(
      find({ "src/streams/a.ts": `import { a } from "./a.ts";` }),
      [{ path: "src/streams/a.ts", rule: "cycle" }],
    );
  });

  it("finds cluster code behind mod.ts, at any distance", () => {
    assertEquals(
      find({
        "mod.ts": `export * from "./src/redis/a.ts";`,
        "src/redis/a.ts": `import { b } from "../cluster/b.ts";`,
        "src/cluster/b.ts": "",
      }),
      [
        { path: "mod.ts", rule: "entry point", target: "src/redis/a.ts" },
        {
          path: "src/redis/a.ts",
          rule: "entry point",
          target: "src/cluster/b.ts",
        },
      ],
    );
  });

  it("finds a file that is too long", () => {
    assertEquals(
      find({
        "src/streams/a.ts": "a;\n".repeat(MAX_LINES),
        "src/streams/b.ts": "b;\n".repeat(MAX_LINES + 1),
      }),
      [{ path: "src/streams/b.ts", rule: "file length" }],
    );
  });

  it("finds a folder with too many files, not counting its subfolders", () => {
    const files: Record<string, string> = { "src/streams/deep/a.ts": "" };
    for (let file = 0; file < MAX_FILES; file++) {
      files[`src/streams/${file}.ts`] = "";
    }
    assertEquals(find(files), []);
    files["src/streams/more.ts"] = "";
    assertEquals(find(files), [{ path: "src/streams", rule: "folder size" }]);
  });
});
