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

/** The color of texts, and those of the chart library's lines; on a dark page others. */
const STYLE = `<style>
text { fill: #424a53 }
@media (prefers-color-scheme: dark) {
text { fill: #c9d1d9 }
[stroke="#dbdee4"] { stroke: #30363d }
[stroke="#54555a"] { stroke: #8b949e }
}
</style>`;

/** Lets a picture follow the page that it is on, and leaves out what nobody needs. */
export function styled(svg: string): string {
  return svg
    .replace(/<style\s*>[^]*?<\/style>/g, "")
    .replace(/ (?:ecmeta_\w+|class|pointer-events)="[^"]*"/g, "")
    .replace(/(<svg[^>]*>)/, `$1\n${STYLE}`)
    .replace(/\n{2,}/g, "\n");
}
