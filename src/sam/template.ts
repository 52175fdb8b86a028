import {
  Composer,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
} from "yaml";
import type { Place } from "../manifests/problem.ts";
import { firstLine, parseYamlTokens, placeAt, type YamlProblem } from "../manifests/yaml-tokens.ts";
import { list, type MapValue, map, type Scalar, scalar, type TemplateValue } from "./template-value.ts";

const DEPTH_MAX = 64;
/** What one template has, each alias counted once. */
const VALUES_MAX = 100_000;

/** Tags are the short forms of functions; these two are called as they are. */
const UNPREFIXED: readonly string[] = ["Ref", "Condition"];
const FUNCTIONS: readonly string[] = [
  ...UNPREFIXED,
  "And",
  "Base64",
  "Cidr",
  "Equals",
  "FindInMap",
  "ForEach",
  "GetAZs",
  "GetAtt",
  "If",
  "ImportValue",
  "Join",
  "Length",
  "Not",
  "Or",
  "Select",
  "Split",
  "Sub",
  "ToJsonString",
  "Transform",
];

/** Tags of YAML itself that say no more than what is written. */
const PLAIN_TAGS = /^(?:!|tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq))$/;

/** A template of SAM or CloudFormation, and no manifest: by the names that stand at its top. */
export function isTemplate(text: string): boolean {
  const isJson = /^\s*\{/.test(text);
  if (isJson)
    return /"(?:AWSTemplateFormatVersion|Resources)"\s*:/.test(text) && !/"apiVersion"\s*:/.test(text);
  return (
    /^["']?(?:AWSTemplateFormatVersion|Resources)["']?\s*:/m.test(text) && !/^apiVersion\s*:/m.test(text)
  );
}

export type ParsedTemplate = { readonly template: MapValue } | { readonly problems: readonly YamlProblem[] };

/** Reads YAML or JSON with CloudFormation's tags, aliases and merge keys, within bounds. */
export function parseTemplate(text: string): ParsedTemplate {
  let source = new TemplateSource(text);
  for (let repairs = 0; ; repairs++) {
    const composed = compose(source);
    if ("problem" in composed) return { problems: [composed.problem] };
    const [document, second] = composed.documents;
    if (document === undefined)
      return { problems: [problemAt({ line: 1, column: 1 }, "The template is empty")] };
    // What follows the first error is read from there on, and says little.
    const [error] = document.errors;
    const repaired =
      error?.code === "BAD_INDENT" && repairs < REPAIRS_MAX ? source.indented(error.pos[0]) : undefined;
    if (repaired !== undefined) {
      source = repaired;
      continue;
    }
    if (error !== undefined) {
      const message = `The template cannot be read: ${firstLine(error.message)}`;
      return { problems: [problemAt(source.placeAt(error.pos[0]), message)] };
    }
    if (second === undefined) return new Conversion(document, source).template();
    const place = source.placeAt(second.contents?.range?.[0] ?? 0);
    const remedy = "Put what is below into a file of its own";
    return { problems: [problemAt(place, "A template is one document", remedy)] };
  }
}

function compose(
  source: TemplateSource,
): { readonly documents: readonly Document.Parsed[] } | { readonly problem: YamlProblem } {
  const read = parseYamlTokens(source.text, source.lines, DEPTH_MAX);
  if ("problem" in read) return read;
  const composer = new Composer({
    schema: "core",
    resolveKnownTags: false,
    merge: false,
    uniqueKeys: true,
    stringKeys: true,
    strict: true,
    keepSourceTokens: false,
    logLevel: "silent",
  });
  return { documents: [...composer.compose(read.tokens)].filter(({ contents }) => contents !== null) };
}

/** Lines of a list or map in brackets that may stand too far to the left, each at the price of a reading. */
const REPAIRS_MAX = 20;
const REPAIR_INDENT = 64;

/** The text, and its places in the file: AWS's reader takes lines in brackets at any indent, YAML does not. */
class TemplateSource {
  readonly text: string;
  readonly lines = new LineCounter();
  readonly #moved: ReadonlySet<number>;

  constructor(text: string, moved: ReadonlySet<number> = new Set()) {
    this.text = text;
    this.#moved = moved;
  }

  placeAt(offset: number): Place {
    const { line, column } = placeAt(this.lines, offset);
    return this.#moved.has(line) ? { line, column: Math.max(1, column - REPAIR_INDENT) } : { line, column };
  }

  /** With the line at the offset moved to the right; `undefined`: it is there already. */
  indented(offset: number): TemplateSource | undefined {
    const { line } = placeAt(this.lines, offset);
    if (this.#moved.has(line)) return undefined;
    const start = this.text.lastIndexOf("\n", offset - 1) + 1;
    const text = `${this.text.slice(0, start)}${" ".repeat(REPAIR_INDENT)}${this.text.slice(start)}`;
    return new TemplateSource(text, new Set([...this.#moved, line]));
  }
}

function problemAt(
  place: Place,
  message: string,
  remedy = "Correct the template at this place",
): YamlProblem {
  return { place, message, remedy };
}

/** Each node once, also those that several aliases name: an alias bomb is as small here as its text. */
class Conversion {
  readonly #document: Document.Parsed;
  readonly #source: TemplateSource;
  readonly #anchors = new Map<string, TemplateValue | "under way">();
  #count = 0;
  readonly #problems: YamlProblem[] = [];

  constructor(document: Document.Parsed, source: TemplateSource) {
    this.#document = document;
    this.#source = source;
  }

  template(): ParsedTemplate {
    const root = this.#value(this.#document.contents, { line: 1, column: 1 });
    if (root.kind !== "map") this.#report(root.place, "The template is not a map of sections");
    const [first] = this.#problems;
    return root.kind === "map" && first === undefined ? { template: root } : { problems: this.#problems };
  }

  #report(place: Place, message: string, remedy?: string): void {
    if (this.#problems.length === 0) this.#problems.push(problemAt(place, message, remedy));
  }

  #placeOf(node: unknown, otherwise: Place): Place {
    const hasRange =
      typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range);
    return hasRange ? this.#source.placeAt(Number((node.range as readonly unknown[])[0])) : otherwise;
  }

  #value(node: unknown, around: Place): TemplateValue {
    const place = this.#placeOf(node, around);
    if (isAlias(node)) return this.#named(node.source, place);
    if (this.#count >= VALUES_MAX) {
      this.#report(
        place,
        `The template has more than ${VALUES_MAX} values`,
        "Split it into several templates",
      );
      return scalar(null, place);
    }
    this.#count += 1;
    const anchor = anchorOf(node);
    if (anchor !== undefined) this.#anchors.set(anchor, "under way");
    const value = this.#tagged(node, place);
    if (anchor !== undefined) this.#anchors.set(anchor, value);
    return value;
  }

  /** What stands for the anchor here: the last one above. */
  #named(anchor: string, place: Place): TemplateValue {
    const value = this.#anchors.get(anchor);
    if (value !== undefined && value !== "under way") return value;
    const shown = `*${anchor.slice(0, 80)}`;
    if (value === undefined) this.#report(place, `There is no anchor above for the alias ${shown}`);
    else this.#report(place, `The alias ${shown} stands for a value that it is a part of`);
    return scalar(null, place);
  }

  #tagged(node: unknown, place: Place): TemplateValue {
    const tag = tagOf(node);
    const value = this.#untagged(node, place);
    if (tag === undefined || PLAIN_TAGS.test(tag)) return value;
    const name = tag.startsWith("!") ? tag.slice(1) : "";
    if (!FUNCTIONS.includes(name)) {
      const known = FUNCTIONS.map((each) => `!${each}`).join(", ");
      this.#report(place, `There is no tag ${JSON.stringify(tag.slice(0, 80))}`, `Tags here are: ${known}`);
      return value;
    }
    const long = UNPREFIXED.includes(name) ? name : `Fn::${name}`;
    return map([[long, name === "GetAtt" ? attributeParts(value) : value]], place);
  }

  #untagged(node: unknown, place: Place): TemplateValue {
    if (isScalar(node)) {
      const isNumber = typeof node.value === "number" || typeof node.value === "bigint";
      const value = typeof node.value === "bigint" ? Number(node.value) : (node.value as Scalar);
      const text = isNumber ? node.source : undefined;
      return text === undefined || text === String(value)
        ? scalar(value, place)
        : { ...scalar(value, place), text };
    }
    if (isSeq(node))
      return list(
        node.items.map((item) => this.#value(item, place)),
        place,
      );
    if (isMap(node)) return this.#map(node.items, place);
    return scalar(null, place);
  }

  #map(pairs: readonly { readonly key: unknown; readonly value: unknown }[], place: Place): MapValue {
    const entries = new Map<string, { key: Place; value: TemplateValue }>();
    for (const pair of pairs) {
      const key = this.#placeOf(pair.key, place);
      const name = isScalar(pair.key) ? String(pair.key.value) : "";
      const value = this.#value(pair.value, key);
      if (name === "__proto__") this.#report(key, "The name __proto__ cannot be used", "Remove it");
      if (name !== "<<") entries.set(name, { key, value });
      // What is written beside a merge counts more, wherever it stands.
      else
        for (const [merged, entry] of mergedEntries(value))
          if (!entries.has(merged)) entries.set(merged, entry);
    }
    return { kind: "map", entries, place };
  }
}

function mergedEntries(value: TemplateValue): MapValue["entries"] {
  if (value.kind === "map") return value.entries;
  const maps = value.kind === "list" ? value.items.toReversed() : [];
  return new Map(maps.flatMap((each) => (each.kind === "map" ? [...each.entries] : [])));
}

function tagOf(node: unknown): string | undefined {
  return isNode(node) ? node.tag : undefined;
}

function anchorOf(node: unknown): string | undefined {
  return isScalar(node) || isCollection(node) ? node.anchor : undefined;
}

/** `!GetAtt Name.Attribute`: the attribute may have further dots. */
function attributeParts(value: TemplateValue): TemplateValue {
  if (value.kind !== "scalar" || typeof value.value !== "string") return value;
  const dot = value.value.indexOf(".");
  if (dot < 0) return value;
  const parts = [value.value.slice(0, dot), value.value.slice(dot + 1)];
  return list(
    parts.map((part) => scalar(part, value.place)),
    value.place,
  );
}
