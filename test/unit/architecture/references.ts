import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { ROOT } from "./imports.ts";

/** What a comment may name, as the repository has it. */
export interface Library {
  /** Numbered sections by document: `streams` has `5.4`, `invariants.md` has none. */
  readonly sections: ReadonlyMap<string, ReadonlySet<string>>;
  /** `I1` … */
  readonly invariants: ReadonlySet<string>;
  /** `0017` … */
  readonly decisions: ReadonlySet<string>;
  /** Paths from the project's root, with slashes. */
  readonly files: readonly string[];
}

const PARTS = ["src", "connectors", "test", "scripts", "examples", "docs", "deploy", "helm", ".ci"];

export function readLibrary(): Library {
  const files = repositoryFiles();
  const documents = files.filter((path) => path.startsWith("docs/") && path.endsWith(".md"));
  const sections = documents.map((path) => {
    const name = path.startsWith("docs/contract/") ? path.slice("docs/contract/".length, -3) : path.slice(5);
    return [name, sectionsOf(readFileSync(join(ROOT, path), "utf8"))] as const;
  });
  return {
    sections: new Map(sections),
    invariants: new Set(headingsOf(readFileSync(join(ROOT, "docs/invariants.md"), "utf8"), /^I\d+(?= )/)),
    decisions: new Set(documents.flatMap((path) => /^docs\/decisions\/(\d{4})-/.exec(path)?.[1] ?? [])),
    files,
  };
}

/** All files of the project but what is installed or built, with paths from its root. */
export function repositoryFiles(): string[] {
  const rooted = readdirSync(ROOT).filter((name) => statSync(join(ROOT, name)).isFile());
  const below = PARTS.filter((part) => existsSync(join(ROOT, part))).flatMap((part) =>
    readdirSync(join(ROOT, part), { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
      .filter((path) => !path.includes("node_modules/")),
  );
  return [...rooted, ...below];
}

function sectionsOf(markdown: string): Set<string> {
  return new Set(headingsOf(markdown, /^\d+(\.\d+)*(?=\.? )/));
}

function headingsOf(markdown: string, form: RegExp): string[] {
  return [...markdown.matchAll(/^#{2,4} (.*)$/gm)].flatMap((match) => form.exec(match[1] ?? "")?.[0] ?? []);
}

/** Comments of a TypeScript file, or of YAML, a shell script or a Dockerfile, each as one line of text. */
export function commentsOf(path: string, source: string): string[] {
  const form = /\.[cm]?[jt]s$/.test(path)
    ? /^[ \t]*(?:\/\/.*\n[ \t]*)*\/\/.*$|(?<=^|[\s({,])\/\*[\s\S]*?\*\/|(?<=\s)\/\/ .*$/gm
    : /(?:^|(?<=\s))#(?:.*\n[ \t]*#)*.*$/gm;
  return [...source.matchAll(form)].map((match) =>
    match[0].replaceAll(/\s*\n\s*(?:\*(?!\/)|\/\/|#)?\s*/g, " "),
  );
}

/** Words between two `§` of one document. */
const JOINING: ReadonlySet<string> = new Set(["and", "or", "to"]);
const SECTION = /(?:([\w.-]+),?\s+)?§(\d+(?:\.\d+)*)/g;
const INVARIANT = /\bI[1-9]\d?\b/g;
const DECISION = /\bdecisions? (\d{4})\b/g;
const FILE =
  /(?<![\w/.:@$<-])(?:\.{1,2}\/)*([\w-][\w.-]*(?:\/[\w.-]+)*\.(?:ts|mjs|cjs|md|json|ya?ml|tpl|sh))\b/g;

/**
 * What a comment, or a document, names and the library does not have: `streams §99`, `I77`, `decision 9999`,
 * `no-such-file.ts`. `own`: the document whose sections a `§` without a name means.
 */
export function unresolved(comment: string, library: Library, own?: string): string[] {
  return [
    ...unresolvedSections(comment, library, own),
    ...[...comment.matchAll(INVARIANT)].map(([name]) => name).filter((name) => !library.invariants.has(name)),
    ...[...comment.matchAll(DECISION)]
      .filter(([, number]) => number === undefined || !library.decisions.has(number))
      .map(([text]) => text),
    ...[...comment.matchAll(FILE)].flatMap(([, path]) =>
      path === undefined || isFile(path, library) ? [] : [path],
    ),
  ];
}

/**
 * A `§` belongs to the document named before it, or to that of the `§` before: `streams §5.4 and §6.1, or kafka §4`.
 */
function unresolvedSections(comment: string, library: Library, own: string | undefined): string[] {
  let document = own;
  return [...comment.matchAll(SECTION)].flatMap(([text, word, number]) => {
    const named = word?.toLowerCase();
    if (named !== undefined && library.sections.has(named)) document = named;
    else if (named !== undefined && !JOINING.has(named)) document = own;
    const sections = document === undefined ? undefined : library.sections.get(document);
    return number !== undefined && sections?.has(number) === true ? [] : [text.trim()];
  });
}

/** By its path from the root, or by the end of it, as neighbours name each other. */
function isFile(path: string, library: Library): boolean {
  return library.files.some((file) => file === path || file.endsWith(`/${path}`));
}
