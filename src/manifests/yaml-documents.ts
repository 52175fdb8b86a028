import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  visit,
} from "yaml";
import type { Place } from "./problem.ts";

/** One document of a manifest file: its value, and where each part of it stands in the file. */
export interface YamlDocument {
  readonly value: unknown;
  /** Place of the value at `path`; of its key with `"key"`; of the nearest parent when there is no such part. */
  place(path: readonly PropertyKey[], part?: "key" | "value"): Place;
}

export interface YamlProblem {
  readonly place: Place | undefined;
  readonly message: string;
  readonly remedy: string;
}

export const MANIFEST_BYTES_MAX = 1024 * 1024;
const DEPTH_MAX = 32;
const ALIASES_MAX = 50;
/** About what a file of the largest size has at one short field a line. */
const TOKENS_MAX = 300_000;
/** The library compares every key of a map with every other, which a long map would make slow. */
const ITEMS_MAX = 1000;

/**
 * Reads YAML 1.2 (core schema) with bounds that hold before the library builds anything recursive: manifests are the
 * operator's own, but a file that was broken or generated must end in a message, not in a hang or a full stack.
 * Empty documents are left out.
 */
export function parseYamlDocuments(text: string): { documents: YamlDocument[]; problems: YamlProblem[] } {
  const lines = new LineCounter();
  const tokens = parseTokens(text, lines);
  if ("problem" in tokens) return { documents: [], problems: [tokens.problem] };
  const tooLarge = findTooLarge(tokens.tokens, lines);
  if (tooLarge !== undefined) return { documents: [], problems: [tooLarge] };

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
  for (const document of composer.compose(tokens.tokens)) {
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

function parseTokens(text: string, lines: LineCounter): { tokens: CST.Token[] } | { problem: YamlProblem } {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  let flowDepth = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexeme === "[" || lexeme === "{") flowDepth += 1;
    else if (lexeme === "]" || lexeme === "}") flowDepth -= 1;
    if (flowDepth > DEPTH_MAX) return { problem: tooDeep(placeAt(lines, parser.offset)) };
    if (lexemes > TOKENS_MAX) {
      const message = `The file has more than ${TOKENS_MAX} words and marks`;
      return {
        problem: { place: placeAt(lines, parser.offset), message, remedy: "Split it into several files" },
      };
    }
    for (const token of parser.next(lexeme)) tokens.push(token);
  }
  for (const token of parser.end()) tokens.push(token);
  return { tokens };
}

/** Walks with a stack of its own: the depth is what it looks for. */
function findTooLarge(tokens: readonly CST.Token[], lines: LineCounter): YamlProblem | undefined {
  const pending: { token: CST.Token; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { token, depth } = next;
    if (depth > DEPTH_MAX) return tooDeep(placeAt(lines, token.offset));
    if (token.type === "document" && token.value !== undefined) pending.push({ token: token.value, depth });
    if (!("items" in token)) continue;
    if (token.items.length > ITEMS_MAX) {
      const message = `A list or map has more than ${ITEMS_MAX} entries`;
      return { place: placeAt(lines, token.offset), message, remedy: "Make it shorter" };
    }
    for (const { key, value } of token.items) {
      if (key !== undefined && key !== null) pending.push({ token: key, depth: depth + 1 });
      if (value !== undefined) pending.push({ token: value, depth: depth + 1 });
    }
  }
  return undefined;
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

function tooDeep(place: Place): YamlProblem {
  return { place, message: `Values are nested more than ${DEPTH_MAX} deep`, remedy: "Make it flatter" };
}

function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
