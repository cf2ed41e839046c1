/** A violation of a rule about the layout of `src`. */
export interface Violation {
  /** The file or folder to change. */
  path: string;
  rule: "layer" | "cycle" | "entry point" | "file length" | "folder size";
  /** The file that must not be imported, if that is the violation. */
  target?: string;
  message: string;
}

/** The sources by path, such as "src/http/guard.ts". */
export type Sources = ReadonlyMap<string, string>;

/**
 * The layers of `src`, from the top. A room may import from rooms of lower
 * layers, but not from others of its own layer.
 */
export const LAYERS: readonly (readonly string[])[] = [
  ["testing"],
  ["redis", "broadcast_channel", "nats", "node", "otel", "postgres"],
  ["cluster"],
  ["in_memory", "sdk"],
  ["http", "operation"],
  ["requests"],
  ["streams"],
  ["replay", "subscriptions", "metadata"],
  ["contracts"],
  ["protocol"],
  ["runtime"],
  ["errors"],
  ["format_value"],
];

/**
 * The rooms that `mod.ts` must not import: users of a single process should not
 * load them.
 */
const NOT_IN_MOD = [
  "testing",
  "redis",
  "broadcast_channel",
  "cluster",
  "nats",
  "node",
  "otel",
  "postgres",
  "sdk",
];

export const MAX_LINES = 330;
export const MAX_FILES = 15;

/** An `import` or `export` from a relative path, including types. */
const IMPORT = /\b(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g;
const COMMENT = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** Checks every rule. */
export function findViolations(sources: Sources): Violation[] {
  const imports = importsOf(sources);
  return [
    ...upwardImports(imports),
    ...cycles(imports),
    ...strangersInMod(imports),
    ...longFiles(sources),
    ...fullFolders(sources),
  ];
}

type Imports = ReadonlyMap<string, readonly string[]>;

function importsOf(sources: Sources): Imports {
  return new Map(
    [...sources].map(([path, text]) => [
      path,
      [...text.replace(COMMENT, "").matchAll(IMPORT)]
        .map(([, specifier]) => resolve(path, specifier!)),
    ]),
  );
}

function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/**
 * Returns the room of a file: "http" for "src/http/guard.ts", undefined for
 * "mod.ts".
 */
function roomOf(path: string): string | undefined {
  return /^src\/(\w+)(?:\/|\.ts$)/.exec(path)?.[1];
}

function layerOf(room: string): number {
  return LAYERS.findIndex((rooms) => rooms.includes(room));
}

function upwardImports(imports: Imports): Violation[] {
  const violations: Violation[] = [];
  for (const [path, targets] of imports) {
    const room = roomOf(path);
    if (room === undefined) continue;
    if (layerOf(room) < 0) {
      violations.push({
        path,
        rule: "layer",
        message:
          `The room "${room}" is missing from the order of imports. Add it to LAYERS in scripts/lib/layers.ts.`,
      });
      continue;
    }
    for (const target of targets) {
      const other = roomOf(target);
      if (other === room) continue;
      if (other === undefined || layerOf(other) <= layerOf(room)) {
        violations.push({
          path,
          rule: "layer",
          target,
          message: `Imports ${target}, but "${room}" may import only from ${
            LAYERS.slice(layerOf(room) + 1).flat().join(", ") || "nothing"
          }. Move the shared part to a lower room, or pass it in as an argument.`,
        });
      }
    }
  }
  return violations;
}

/**
 * Returns one violation for each group of files that import one another in a
 * circle.
 */
function cycles(imports: Imports): Violation[] {
  return stronglyConnected(imports)
    .map((group) => shortestCycle(imports, group))
    .filter((cycle) => cycle !== undefined)
    .map((cycle) => ({
      path: cycle[0]!,
      rule: "cycle",
      message: `Imports itself in a circle: ${
        [...cycle, cycle[0]].join(" > ")
      }. Move what both need, often a type, to a file that neither imports.`,
    }));
}

/** Tarjan's algorithm. */
function stronglyConnected(imports: Imports): Set<string>[] {
  const groups: Set<string>[] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const visit = (path: string): void => {
    index.set(path, index.size);
    low.set(path, index.get(path)!);
    stack.push(path);
    for (const target of imports.get(path) ?? []) {
      if (!index.has(target)) {
        visit(target);
        low.set(path, Math.min(low.get(path)!, low.get(target)!));
      } else if (stack.includes(target)) {
        low.set(path, Math.min(low.get(path)!, index.get(target)!));
      }
    }
    if (low.get(path) === index.get(path)) {
      groups.push(new Set(stack.splice(stack.indexOf(path))));
    }
  };
  for (const path of imports.keys()) if (!index.has(path)) visit(path);
  return groups;
}

function shortestCycle(
  imports: Imports,
  group: ReadonlySet<string>,
): string[] | undefined {
  const [start = ""] = [...group].sort();
  const paths = [[start]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const target of imports.get(path.at(-1)!) ?? []) {
      if (target === start) return path;
      if (!group.has(target) || seen.has(target)) continue;
      seen.add(target);
      paths.push([...path, target]);
    }
  }
}

function strangersInMod(imports: Imports): Violation[] {
  const reachedFrom = new Map<string, string | undefined>([
    ["mod.ts", undefined],
  ]);
  for (const path of reachedFrom.keys()) {
    for (const target of imports.get(path) ?? []) {
      if (!reachedFrom.has(target)) reachedFrom.set(target, path);
    }
  }
  return [...reachedFrom]
    .filter(([path]) => NOT_IN_MOD.includes(roomOf(path) ?? ""))
    .map(([path, importer]) => ({
      path: importer!,
      rule: "entry point",
      target: path,
      message:
        `Brings ${path} into the entry point ".", which is for a single process. Import it only from the entry points ${
          NOT_IN_MOD.join(", ")
        }.`,
    }));
}

function longFiles(sources: Sources): Violation[] {
  return [...sources]
    .map(([path, text]) => ({ path, lines: text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => ({
      path,
      rule: "file length",
      message:
        `Has ${lines} lines; the limit is ${MAX_LINES}. Divide it where it has two jobs.`,
    }));
}

function fullFolders(sources: Sources): Violation[] {
  const counts = new Map<string, number>();
  for (const path of sources.keys()) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (path.startsWith("src/")) {
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
  }
  return [...counts]
    .filter(([, files]) => files > MAX_FILES)
    .map(([path, files]) => ({
      path,
      rule: "folder size",
      message:
        `Holds ${files} files; the limit is ${MAX_FILES}. Group related files in a folder.`,
    }));
}
