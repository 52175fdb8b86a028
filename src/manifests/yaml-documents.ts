import { Composer, type Document, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, visit } from "yaml";
import type { Place } from "./problem.ts";
import { firstLine, parseYamlTokens, placeAt, type YamlProblem } from "./yaml-tokens.ts";

/** One document of a manifest file: its value, and where each part of it stands in the file. */
export interface YamlDocument {
  readonly value: unknown;
  /** Place of the value at `path`; of its key with `"key"`; of the nearest parent when there is no such part. */
  place(path: readonly PropertyKey[], part?: "key" | "value"): Place;
}

export const MANIFEST_BYTES_MAX = 1024 * 1024;
const DEPTH_MAX = 32;
const ALIASES_MAX = 50;

/**
 * Reads YAML 1.2 (core schema) with bounds that hold before the library builds anything recursive: manifests are the
 * operator's own, but a file that was broken or generated must end in a message, not in a hang or a full stack.
 * Empty documents are left out.
 */
export function parseYamlDocuments(text: string): { documents: YamlDocument[]; problems: YamlProblem[] } {
  const lines = new LineCounter();
  const read = parseYamlTokens(text, lines, DEPTH_MAX);
  if ("problem" in read) return { documents: [], problems: [read.problem] };

  const composer = new Composer({
    schema: "core",
    resolveKnownTags: false,
    merge: false,
    uniqueKeys: true,
    stringKeys: true,
    strict: true,
    logLevel: "silent",
  });
  const documents: YamlDocument[] = [];
  const problems: YamlProblem[] = [];
  for (const document of composer.compose(read.tokens)) {
    const found = documentProblems(document, lines);
    problems.push(...found);
    if (found.length > 0 || document.contents === null) continue;
    try {
      const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
      if (value !== null) documents.push({ value, place: placeIn(document, lines) });
    } catch (error) {
      problems.push(aliasProblem(error, placeAt(lines, document.range[0])));
    }
  }
  return { documents, problems };
}

function documentProblems(document: Document.Parsed, lines: LineCounter): YamlProblem[] {
  const problems: YamlProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    place: placeAt(lines, error.pos[0]),
    message: `The YAML cannot be read: ${firstLine(error.message)}`,
    remedy: SYNTAX_REMEDIES[error.code] ?? "Correct the syntax at this place",
  }));
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || pair.key.value !== "__proto__") return;
      const message = "The name __proto__ cannot be used";
      problems.push({ place: placeAt(lines, pair.key.range?.[0] ?? 0), message, remedy: "Remove it" });
    },
  });
  return problems;
}

const SYNTAX_REMEDIES: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "Keep one of the two",
  TAG_RESOLVE_FAILED: "Remove the tag: only plain values are read",
  TAB_AS_INDENT: "Indent with spaces",
  BAD_ALIAS: "Define the anchor before its alias, or write the value out",
  NON_STRING_KEY: "Use a text as the name",
};

function aliasProblem(error: unknown, place: Place): YamlProblem {
  const message = error instanceof Error ? error.message : String(error);
  return {
    place,
    message: `The YAML's aliases cannot be expanded: ${message}`,
    remedy: `Write the values out; at most ${ALIASES_MAX} are expanded`,
  };
}

function placeIn(document: Document.Parsed, lines: LineCounter): YamlDocument["place"] {
  return (path, part = "value") => {
    let node: unknown = document.contents;
    let offset = document.contents?.range?.[0] ?? 0;
    for (const [index, step] of path.entries()) {
      const container = isAlias(node) ? node.resolve(document) : node;
      const wantsKey = part === "key" && index === path.length - 1;
      let child: unknown;
      if (isMap(container)) {
        const pair = container.items.find((item) => isScalar(item.key) && item.key.value === step);
        child = wantsKey || !hasRange(pair?.value) ? pair?.key : pair?.value;
        node = pair?.value;
      } else if (isSeq(container) && typeof step === "number") {
        child = container.items[step];
        node = isPair(child) ? child.value : child;
      }
      if (!hasRange(child)) break;
      offset = child.range[0];
    }
    return placeAt(lines, offset);
  };
}

function hasRange(node: unknown): node is { range: [number, number, number] } {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range);
}
