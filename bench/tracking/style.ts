/** The display names of the contenders. */
export const NAMES: Readonly<Record<string, string>> = {
  ours: "@crossmcp/session-manager",
  peer: "@tmcp/session-manager",
  "web-streams": "the same, with Web Streams",
  "better-sse": "better-sse",
  bare: "bare loop of response.write",
  bareLoop: "bare loop of enqueue",
};

/** Readable on both white and black. */
export const COLORS: Readonly<Record<string, string>> = {
  ours: "#2f81f7",
  peer: "#e8590c",
  "better-sse": "#2f9e44",
  bare: "#868e96",
  bareLoop: "#868e96",
};

/**
 * The color scheme of a picture; without one, it follows
 * `prefers-color-scheme`.
 */
export type Theme = "light" | "dark";

/** The colors of text and of the chart library's lines. */
const LIGHT = "text { fill: #424a53; stroke: none }";
const DARK = `text { fill: #c9d1d9; stroke: none }
[stroke="#dbdee4"] { stroke: #30363d }
[stroke="#54555a"] { stroke: #8b949e }`;

const STYLES = {
  light: LIGHT,
  dark: DARK,
  both: `${LIGHT}
@media (prefers-color-scheme: dark) {
${DARK}
}`,
};

/** Sets the colors of a picture, and removes unneeded attributes. */
export function styled(svg: string, theme: Theme | "both" = "both"): string {
  return svg
    .replace(/<style\s*>[^]*?<\/style>/g, "")
    .replace(/ (?:ecmeta_\w+|class|pointer-events)="[^"]*"/g, "")
    .replace(/(<svg[^>]*>)/, `$1\n<style>${STYLES[theme]}</style>`)
    .replace(/\n{2,}/g, "\n");
}
