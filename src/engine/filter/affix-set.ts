import { work } from "./work.ts";

/** Texts that values begin (or, backward, end) with, or are, all tested in one walk over the value. */
export interface Affix {
  readonly text: string;
  /** The value must be this text and nothing more. */
  readonly isWhole: boolean;
}

export interface AffixOptions {
  readonly isBackward: boolean;
  readonly ignoresCase: boolean;
}

/** Whether a value has any of the affixes, in at most one step for each of its characters. */
export function compileAffixes(affixes: readonly Affix[], options: AffixOptions): (value: string) => boolean {
  const only = affixes[0];
  if (only !== undefined && affixes.length === 1 && !options.ignoresCase) {
    const text = only.text;
    if (only.isWhole) return (value) => value === text;
    return options.isBackward ? (value) => value.endsWith(text) : (value) => value.startsWith(text);
  }
  return compileWalk(tabulate(buildTree(affixes, options)), options.isBackward);
}

interface AffixNode {
  readonly next: Map<number, AffixNode>;
  isPrefix: boolean;
  isWhole: boolean;
}

function buildTree(affixes: readonly Affix[], options: AffixOptions): AffixNode {
  const root = newNode();
  for (const affix of affixes) {
    let node = root;
    for (let i = 0; i < affix.text.length; i++) {
      const at = options.isBackward ? affix.text.length - 1 - i : i;
      const unit = affix.text.charCodeAt(at);
      const forms = options.ignoresCase ? caseForms(unit) : [unit];
      node = stepInto(node, forms);
    }
    if (affix.isWhole) node.isWhole = true;
    else node.isPrefix = true;
  }
  return root;
}

function stepInto(node: AffixNode, forms: readonly number[]): AffixNode {
  const known = forms.find((form) => node.next.has(form));
  const child = (known === undefined ? undefined : node.next.get(known)) ?? newNode();
  for (const form of forms) if (!node.next.has(form)) node.next.set(form, child);
  return child;
}

function newNode(): AffixNode {
  return { next: new Map(), isPrefix: false, isWhole: false };
}

/** The character and its upper and lower case, where these are one code unit each. */
function caseForms(unit: number): number[] {
  const char = String.fromCharCode(unit);
  const forms = [char, char.toLowerCase(), char.toUpperCase()].filter((form) => form.length === 1);
  return [...new Set(forms.map((form) => form.charCodeAt(0)))];
}

/**
 * Edges of all nodes in one array, sorted by code unit within a node: small, and searched in a bounded number of steps.
 */
interface AffixTable {
  readonly firstEdge: Uint32Array;
  readonly units: Uint16Array;
  readonly targets: Uint32Array;
  /** 0: go on, 1: ends the walk with success, 2: success if the value ends here. */
  readonly verdicts: Uint8Array;
}

function tabulate(root: AffixNode): AffixTable {
  const numbers = new Map<AffixNode, number>([[root, 0]]);
  const nodes = [root];
  for (const node of nodes) {
    for (const child of node.next.values()) {
      if (numbers.has(child)) continue;
      numbers.set(child, nodes.length);
      nodes.push(child);
    }
  }
  const firstEdge = new Uint32Array(nodes.length + 1);
  const units: number[] = [];
  const targets: number[] = [];
  const verdicts = new Uint8Array(nodes.length);
  nodes.forEach((node, index) => {
    firstEdge[index] = units.length;
    verdicts[index] = node.isPrefix ? 1 : node.isWhole ? 2 : 0;
    for (const [unit, child] of [...node.next].sort(([a], [b]) => a - b)) {
      units.push(unit);
      targets.push(numbers.get(child) ?? 0);
    }
  });
  firstEdge[nodes.length] = units.length;
  return { firstEdge, units: Uint16Array.from(units), targets: Uint32Array.from(targets), verdicts };
}

function compileWalk(table: AffixTable, isBackward: boolean): (value: string) => boolean {
  const { firstEdge, units, targets, verdicts } = table;
  return (value) => {
    const size = value.length;
    let node = 0;
    let at = 0;
    for (; at < size && verdicts[node] !== 1; at++) {
      const unit = value.charCodeAt(isBackward ? size - 1 - at : at);
      let from = firstEdge[node] ?? 0;
      let to = firstEdge[node + 1] ?? 0;
      const end = to;
      while (from < to) {
        const middle = (from + to) >>> 1;
        if ((units[middle] ?? 0) < unit) from = middle + 1;
        else to = middle;
      }
      if (from === end || units[from] !== unit) {
        work.steps += at;
        return false;
      }
      node = targets[from] ?? 0;
    }
    work.steps += at;
    return verdicts[node] === 1 || (verdicts[node] === 2 && at === size);
  };
}
