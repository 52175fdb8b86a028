import { type CST, Lexer, type LineCounter, Parser } from "yaml";
import type { Place } from "./problem.ts";

export interface YamlProblem {
  readonly place: Place | undefined;
  readonly message: string;
  readonly remedy: string;
}

/** About what a file of the largest size has at one short field a line. */
const TOKENS_MAX = 300_000;
/** The library compares every key of a map with every other, which a long map would make slow. */
const ITEMS_MAX = 1000;

/**
 * The tokens of a YAML text, with bounds that hold before the library builds anything recursive: a file that was broken
 * or generated ends in a message, not in a hang or a full stack.
 */
export function parseYamlTokens(
  text: string,
  lines: LineCounter,
  depthMax: number,
): { tokens: CST.Token[] } | { problem: YamlProblem } {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  let flowDepth = 0;
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexeme === "[" || lexeme === "{") flowDepth += 1;
    else if (lexeme === "]" || lexeme === "}") flowDepth -= 1;
    if (flowDepth > depthMax) return { problem: tooDeep(placeAt(lines, parser.offset), depthMax) };
    if (lexemes > TOKENS_MAX) {
      const message = `The file has more than ${TOKENS_MAX} words and marks`;
      return {
        problem: { place: placeAt(lines, parser.offset), message, remedy: "Split it into several files" },
      };
    }
    for (const token of parser.next(lexeme)) tokens.push(token);
  }
  for (const token of parser.end()) tokens.push(token);
  const problem = findTooLarge(tokens, lines, depthMax);
  return problem === undefined ? { tokens } : { problem };
}

/** Walks with a stack of its own: the depth is what it looks for. */
function findTooLarge(
  tokens: readonly CST.Token[],
  lines: LineCounter,
  depthMax: number,
): YamlProblem | undefined {
  const pending: { token: CST.Token; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { token, depth } = next;
    if (depth > depthMax) return tooDeep(placeAt(lines, token.offset), depthMax);
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

function tooDeep(place: Place, depthMax: number): YamlProblem {
  return { place, message: `Values are nested more than ${depthMax} deep`, remedy: "Make it flatter" };
}

export function placeAt(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
