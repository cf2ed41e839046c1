/** The language version that the npm package is compiled to. */
export const TARGET = "ES2022" as const;

/** The type libraries that the npm package and its tests are compiled with. */
export const LIB = [
  "ES2023",
  "ESNext.Disposable",
  "DOM",
  "DOM.Iterable",
] as const;

/** The oldest supported release: users may have no newer types. */
export const NODE_TYPES = "^20.19.0";
