import { RULE_TOO_COMPLEX } from "./pattern-fault.ts";
import { work } from "./work.ts";

/** A wildcard's literal pieces: what stands before, between and behind its `*`s. One piece: no `*` at all. */
export type Wildcard = readonly string[];

export const WILDCARD_TOO_COMPLEX = `${RULE_TOO_COMPLEX} - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character`;

/**
 * The pieces, or what is wrong with the text. Positions count UTF-8 bytes behind an opening quote, as AWS counts them.
 */
export function parseWildcard(text: string): Wildcard | { readonly reason: string } {
  const pieces: string[] = [];
  let piece = "";
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    const next = text.charAt(i + 1);
    if (char === "*") {
      if (next === "*") return { reason: `Consecutive wildcard characters at pos ${bytePosition(text, i)}` };
      pieces.push(piece);
      piece = "";
    } else if (char === "\\") {
      if (next !== "*" && next !== "\\") {
        return { reason: `Invalid escape character at pos ${bytePosition(text, i)}` };
      }
      piece += next;
      i++;
    } else {
      piece += char;
    }
  }
  pieces.push(piece);
  return pieces;
}

function bytePosition(text: string, index: number): number {
  return new TextEncoder().encode(text.slice(0, index)).length + 1;
}

/**
 * The most beginnings of these wildcards that can match one text at the same time: AWS's measure of a rule's
 * complexity. Each `*` that was reached stays reached, and each piece behind a `*` counts once for every beginning of
 * it that ends the text.
 */
export function wildcardComplexity(wildcards: readonly Wildcard[]): number {
  let worst = 0;
  const starred = wildcards.filter((pieces) => pieces.length > 1);
  const firsts = new Set(starred.map((pieces) => pieces[0] ?? ""));
  for (const first of firsts) {
    const together = starred.filter((pieces) => first.startsWith(pieces[0] ?? ""));
    worst = Math.max(worst, complexityTogether(together));
  }
  return worst;
}

interface PieceNode {
  /** Pieces that have this beginning, and with `fail`, those that have an ending of it as their beginning. */
  count: number;
  readonly next: Map<string, PieceNode>;
  fail: PieceNode | undefined;
}

function complexityTogether(wildcards: readonly Wildcard[]): number {
  const root: PieceNode = { count: 0, next: new Map(), fail: undefined };
  let stars = 0;
  for (const pieces of wildcards) {
    stars += pieces.length - 1;
    for (const piece of pieces.slice(1)) addPiece(root, piece);
  }
  let worst = 0;
  const queue: PieceNode[] = [root];
  for (const node of queue) {
    for (const [char, child] of node.next) {
      let fail = node.fail;
      while (fail !== undefined && !fail.next.has(char)) fail = fail.fail;
      child.fail = fail?.next.get(char) ?? root;
      child.count += child.fail.count;
      worst = Math.max(worst, child.count);
      queue.push(child);
    }
  }
  return stars + worst;
}

function addPiece(root: PieceNode, piece: string): void {
  let node = root;
  for (let i = 0; i < piece.length; i++) {
    const char = piece.charAt(i);
    let child = node.next.get(char);
    if (child === undefined) {
      child = { count: 0, next: new Map(), fail: undefined };
      node.next.set(char, child);
    }
    child.count++;
    node = child;
  }
}

/**
 * A test in time linear in the value, whatever the pieces are: each piece is looked for once, leftmost, without going
 * back.
 */
export function compileWildcard(wildcard: Wildcard): (value: string) => boolean {
  const first = wildcard[0] ?? "";
  if (wildcard.length === 1) return (value) => value === first;
  const last = wildcard.at(-1) ?? "";
  const middle = wildcard.slice(1, -1).map(compilePieceSearch);
  const charsMin = wildcard.reduce((sum, piece) => sum + piece.length, 0);
  const firstUnit = first.charCodeAt(0);
  return (value) => {
    if (value.length < charsMin || (first !== "" && value.charCodeAt(0) !== firstUnit)) return false;
    if (!value.startsWith(first) || !value.endsWith(last)) return false;
    const end = value.length - last.length;
    let at = first.length;
    for (const search of middle) {
      at = search(value, at, end);
      if (at < 0) return false;
    }
    return true;
  };
}

/** Index behind the leftmost occurrence of the piece within [from, to), or -1. Knuth, Morris and Pratt's search. */
function compilePieceSearch(piece: string): (value: string, from: number, to: number) => number {
  const size = piece.length;
  const units = new Uint16Array(size);
  for (let i = 0; i < size; i++) units[i] = piece.charCodeAt(i);
  const borders = pieceBorders(units);
  return (value, from, to) => {
    let matched = 0;
    let at = from;
    while (at < to) {
      const unit = value.charCodeAt(at);
      while (matched > 0 && units[matched] !== unit) matched = borders[matched - 1] ?? 0;
      if (units[matched] === unit) matched++;
      at++;
      if (matched === size) break;
    }
    work.steps += at - from;
    return matched === size ? at : -1;
  };
}

/** For each beginning of the piece, the length of its longest proper ending that is also a beginning. */
function pieceBorders(units: Uint16Array): Uint16Array {
  const borders = new Uint16Array(units.length);
  let border = 0;
  for (let i = 1; i < units.length; i++) {
    while (border > 0 && units[border] !== units[i]) border = borders[border - 1] ?? 0;
    if (units[border] === units[i]) border++;
    borders[i] = border;
  }
  return borders;
}
