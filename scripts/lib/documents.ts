/** A problem in a document, and its place. */
export interface DocumentProblem {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** The files that documents are checked against. */
export interface Repository {
  /** The text of each document by its path. */
  readonly documents: ReadonlyMap<string, string>;
  /** The text of other files that may link to documents, by path. */
  readonly sources: ReadonlyMap<string, string>;
  /** Whether a file or folder exists. */
  readonly exists: (path: string) => boolean;
  /** Whether a file is part of the published packages. */
  readonly isShipped: (path: string) => boolean;
  /** The address of the repository, to find links to its own files. */
  readonly url: string;
}

const LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const IMAGE = /(?:src|srcset)="([^"\s]+)"/g;

/**
 * Finds links to files and headings that don't exist, links from shipped
 * documents to files that are not shipped, and tables that don't parse.
 */
export function checkDocuments(repository: Repository): DocumentProblem[] {
  const { documents, sources, url } = repository;
  const problems: DocumentProblem[] = [];
  for (const [path, text] of documents) {
    problems.push(...checkTables(path, text), ...checkLinks(path, text));
  }
  for (const [path, text] of sources) {
    for (const [at, line] of text.split("\n").entries()) {
      for (const target of ownFiles(line)) {
        const message = problemOf(target, "", false);
        if (message) problems.push({ path, line: at + 1, message });
      }
    }
  }
  return problems;

  function checkLinks(path: string, text: string): DocumentProblem[] {
    const found: DocumentProblem[] = [];
    for (const [at, line] of withoutCode(text).entries()) {
      const links = [...line.matchAll(LINK), ...line.matchAll(IMAGE)]
        .map(([, target]) => target!);
      for (const link of links) {
        const isOwn = link.startsWith(url);
        const isElsewhere = /^[a-z]+:/i.test(link);
        const message = isOwn
          ? ownFiles(link).map((target) => problemOf(target, "", false))[0]
          : isElsewhere
          ? undefined
          : problemOf(link, path, repository.isShipped(path));
        if (message) found.push({ path, line: at + 1, message });
      }
    }
    return found;
  }

  /** Returns the problem of a link, if there is one. */
  function problemOf(
    link: string,
    from: string,
    mustBeShipped: boolean,
  ): string | undefined {
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? from : resolve(from, file);
    if (!repository.exists(target)) {
      return `The link to "${link}" is broken: there is no ${target}.`;
    }
    if (mustBeShipped && !repository.isShipped(target)) {
      return `The link to "${link}" leads to a file that is not published. ` +
        "Link to the repository instead.";
    }
    const text = documents.get(target);
    if (anchor === undefined || text === undefined) return undefined;
    return headingAnchors(text).has(anchor)
      ? undefined
      : `The link to "${link}" is broken: ${target} has no such heading.`;
  }

  /**
   * Returns the files of the repository that a text links to by their full
   * address.
   */
  function ownFiles(text: string): string[] {
    const pattern = new RegExp(
      `${url.replaceAll(".", "\\.")}/(?:blob|tree|raw)/main/([^\\s"'\`)>]+)`,
      "g",
    );
    return [...text.matchAll(pattern)].map(([, target]) => target!);
  }
}

function resolve(from: string, file: string): string {
  return new URL(file, `file:///${from}`).pathname.slice(1);
}

/** Returns the lines of a document; lines of code are empty. */
function withoutCode(text: string): string[] {
  let fence: string | undefined;
  return text.split("\n").map((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined) {
      if (fence === undefined) fence = mark;
      else if (mark.startsWith(fence)) fence = undefined;
      return "";
    }
    return fence === undefined ? line.replace(/`[^`]*`/g, "``") : "";
  });
}

/** Returns the anchors of all headings, as GitHub makes them. */
export function headingAnchors(text: string): Set<string> {
  const anchors = new Set<string>();
  const lines = text.split("\n");
  for (const [at, plain] of withoutCode(text).entries()) {
    if (!/^#{1,6} /.test(plain)) continue;
    const slug = lines[at]!.replace(/^#+ /, "").trim().toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) {
      anchor = `${slug}-${count}`;
    }
    anchors.add(anchor);
  }
  return anchors;
}

/** Finds tables whose rows have different numbers of cells. */
function checkTables(path: string, text: string): DocumentProblem[] {
  const problems: DocumentProblem[] = [];
  const lines = withoutCode(text);
  for (let at = 0; at < lines.length; at++) {
    if (!isRow(lines[at])) continue;
    const start = at;
    while (isRow(lines[at + 1])) at++;
    const rows = lines.slice(start, at + 1);
    const width = cellsOf(rows[0]!);
    if (!/^\|(?:\s*:?-+:?\s*\|)+\s*$/.test(rows[1] ?? "")) {
      problems.push({
        path,
        line: start + 1,
        message: "The table has no line of dashes below its header.",
      });
    }
    for (const [index, row] of rows.entries()) {
      const isSecondHeader = index > 1 && /^\|(?:\s*:?-+:?\s*\|)+/.test(row);
      const cells = cellsOf(row);
      if (cells === width && !isSecondHeader) continue;
      problems.push({
        path,
        line: start + index + 1,
        message: isSecondHeader
          ? "Two tables are fused: there is a second header."
          : `The row has ${cells} cells, its header ${width}.`,
      });
    }
  }
  return problems;
}

function isRow(line: string | undefined): boolean {
  return line?.startsWith("|") === true;
}

function cellsOf(row: string): number {
  return row.replace(/\\\|/g, "").trim().split("|").length - 2;
}
