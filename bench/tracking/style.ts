/** Who is compared, as readers know them. */
export const NAMES: Readonly<Record<string, string>> = {
  ours: "@crossmcp/session-manager",
  peer: "@tmcp/session-manager",
  "better-sse": "better-sse",
  floor: "bare loop of enqueue",
};

/** Readable on white and on black. */
export const COLORS: Readonly<Record<string, string>> = {
  ours: "#2f81f7",
  peer: "#e8590c",
  "better-sse": "#2f9e44",
  floor: "#868e96",
};

/** The page that a picture is for; without one, it follows `prefers-color-scheme`. */
export type Theme = "light" | "dark";

/** The color of text, and those of the chart library's lines on a dark page. */
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

/** Sets the colors of a picture, and removes attributes that it does not need. */
export function styled(svg: string, theme: Theme | "both" = "both"): string {
  return svg
    .replace(/<style\s*>[^]*?<\/style>/g, "")
    .replace(/ (?:ecmeta_\w+|class|pointer-events)="[^"]*"/g, "")
    .replace(/(<svg[^>]*>)/, `$1\n<style>${STYLES[theme]}</style>`)
    .replace(/\n{2,}/g, "\n");
}
