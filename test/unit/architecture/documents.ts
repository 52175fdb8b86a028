import { dirname, join, normalize } from "node:path";

const LINE_CHARS_MAX = 120;

/** What a person cannot read well: lines beyond the wrap, cells of a table with more than a sentence. */
export function hardToRead(markdown: string): string[] {
  return markdown.split("\n").flatMap((line, index) => {
    const place = `line ${index + 1}`;
    if (line.startsWith("|"))
      return cellsOf(line).some(hasTwoSentences) ? [`${place}: more than a sentence in a cell`] : [];
    return [...line].length > LINE_CHARS_MAX && line.trim().includes(" ")
      ? [`${place}: ${[...line].length} characters`]
      : [];
  });
}

function cellsOf(row: string): string[] {
  return row.split(/(?<!\\)\|/).slice(1, -1);
}

/** Texts in code may hold as many as they like: they are somebody's exact words. */
function hasTwoSentences(cell: string): boolean {
  const prose = cell.replaceAll(/`[^`]*`/g, "code").replaceAll(/\]\([^)]*\)/g, "]");
  return /[.!?] +[A-Z[(]|[.!?] +code/.test(prose);
}

/** Links within the repository whose file or heading is not there. `read` gives a document's text. */
export function brokenLinks(
  path: string,
  markdown: string,
  files: readonly string[],
  read: (path: string) => string,
): string[] {
  const prose = markdown.replaceAll(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
    if (/^(https?|mailto):/.test(link)) return [];
    const [target = "", anchor] = link.split("#");
    const file = target === "" ? path : normalize(join(dirname(path), target)).replaceAll("\\", "/");
    const isThere = files.some((each) => each === file || each.startsWith(`${file.replace(/\/$/, "")}/`));
    if (!isThere) return [`${path}: ${link}`];
    if (anchor === undefined || !file.endsWith(".md")) return [];
    return anchorsOf(read(file)).has(anchor) ? [] : [`${path}: ${link}`];
  });
}

/** Anchors of headings, as GitHub makes them. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading);
  return new Set(headings.map((heading) => slugOf(heading)));
}

function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}
