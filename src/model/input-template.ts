import { memberText, memberTexts } from "./exact-json.ts";
import { isJson } from "./json-check.ts";
import { type PlaceStep, readPlace, textAtPlace } from "./json-place.ts";

/**
 * Input templates of EventBridge Pipes (queues §3): what a record is made into, with `<$.path>` and `<aws.pipes.…>` in
 * it. Values are taken over as they are written: no number passes through JavaScript's.
 */

/** Members of a record that hold its data, as a JSON text or its base64. */
export type DataMembers = Readonly<Record<string, "json" | "base64">>;

/** What a template may name beside the record, without `aws.pipes.`; others have no value. */
export const PIPE_VARIABLES = [
  "pipe-arn",
  "pipe-name",
  "source-arn",
  "enrichment-arn",
  "target-arn",
  "event.ingestion-time",
] as const;
export type PipeVariable = (typeof PIPE_VARIABLES)[number];
export type PipeVariables = Readonly<Partial<Record<PipeVariable, string | undefined>>>;

export interface InputTemplate {
  /** It is JSON, and so is what it is filled to. Otherwise it is a text, which becomes one of JSON. */
  readonly isJson: boolean;
  readonly parts: readonly TemplatePart[];
}

type TemplatePart = string | Placeholder;

type Placeholder = { readonly isQuoted: boolean } & (
  | { readonly kind: "place"; readonly steps: readonly PlaceStep[] }
  | { readonly kind: "variable"; readonly name: PipeVariable }
  /** The record with its data in clear. */
  | { readonly kind: "clear" }
);

/** Why a text is no template, for people. */
export interface TemplateFault {
  readonly problem: string;
  readonly remedy: string;
}

export function isTemplateFault(template: InputTemplate | TemplateFault): template is TemplateFault {
  return "problem" in template;
}

const PLACEHOLDER = /<(\$[^<>]*|aws\.pipes\.[^<>]*)>/g;
const RESERVED = "aws.pipes.";

export function readInputTemplate(text: string): InputTemplate | TemplateFault {
  const isOfJson = /^\s*[[{"]/.test(text);
  const parts: TemplatePart[] = [];
  let isQuoted = false;
  let from = 0;
  for (const { 0: written, 1: name = "", index } of text.matchAll(PLACEHOLDER)) {
    const before = text.slice(from, index);
    if (isOfJson) isQuoted = isQuotedBehind(before, isQuoted);
    const placeholder = readPlaceholder(name, isQuoted);
    if ("problem" in placeholder) return placeholder;
    parts.push(before, placeholder);
    from = index + written.length;
  }
  parts.push(text.slice(from));
  const template = { isJson: isOfJson, parts };
  return isOfJson ? (faultOfJson(template) ?? template) : template;
}

function readPlaceholder(name: string, isQuoted: boolean): Placeholder | TemplateFault {
  if (name.startsWith("$")) {
    const steps = readPlace(name);
    if (steps !== undefined) return { kind: "place", steps, isQuoted };
    return {
      problem: `The template names <${name.slice(0, 80)}>, which is no path`,
      remedy: "Give a path such as <$.body.items[0].id>, without * and filters",
    };
  }
  const variable = name.slice(RESERVED.length);
  if (variable === "event") return { kind: "place", steps: [], isQuoted };
  if (variable === "event.json") {
    if (!isQuoted) return { kind: "clear", isQuoted };
    return {
      problem: "The template has <aws.pipes.event.json> within quotation marks",
      remedy: "Remove the quotation marks, or name <aws.pipes.event> in them",
    };
  }
  const known = PIPE_VARIABLES.find((each) => each === variable);
  if (known !== undefined) return { kind: "variable", name: known, isQuoted };
  const names = [...PIPE_VARIABLES, "event", "event.json"].map((each) => `<${RESERVED}${each}>`);
  return {
    problem: `The template names <${name.slice(0, 80)}>, which there is not`,
    remedy: `Give one of ${names.join(", ")}`,
  };
}

/** Whatever is filled in later, what is JSON with these values is JSON with any. */
function faultOfJson({ parts }: InputTemplate): TemplateFault | undefined {
  const filled = parts.map((part) => (typeof part === "string" ? part : part.isQuoted ? "" : "{}"));
  if (isJson(Buffer.from(filled.join("")))) return undefined;
  return {
    problem: "The template is no JSON where its placeholders hold values",
    remedy: "Begin a text without a brace, bracket or quotation mark, or correct the JSON",
  };
}

function isQuotedBehind(text: string, wasQuoted: boolean): boolean {
  let isQuoted = wasQuoted;
  for (let at = 0; at < text.length; at++) {
    if (isQuoted && text[at] === "\\") at += 1;
    else if (text[at] === '"') isQuoted = !isQuoted;
  }
  return isQuoted;
}

export interface TemplateValues {
  readonly data: DataMembers;
  readonly variables: PipeVariables;
  readonly charsMax: number;
}

/** A JSON text; `undefined`: it would be longer than `charsMax`. `record` must be valid JSON. */
export function filledInputTemplate(
  template: InputTemplate,
  record: string,
  values: TemplateValues,
): string | undefined {
  let filled = "";
  for (const part of template.parts) {
    filled += typeof part === "string" ? part : valueText(part, template.isJson, record, values);
    if (filled.length > values.charsMax) return undefined;
  }
  return template.isJson ? filled : JSON.stringify(filled);
}

/** Within quotation marks a text stands as it is, and anything else as its JSON text; outside of them each is JSON. */
function valueText(part: Placeholder, isOfJson: boolean, record: string, values: TemplateValues): string {
  const json = jsonOf(part, record, values);
  if (isOfJson && !part.isQuoted) return json ?? "null";
  if (json === undefined || json === "null") return "";
  const isText = json.startsWith('"');
  if (!isOfJson) return isText ? String(JSON.parse(json)) : json;
  return (isText ? json : JSON.stringify(json)).slice(1, -1);
}

function jsonOf(part: Placeholder, record: string, { data, variables }: TemplateValues): string | undefined {
  switch (part.kind) {
    case "clear":
      return inClear(record, data);
    case "variable":
      return JSON.stringify(variables[part.name]);
    case "place": {
      const [first, ...others] = part.steps;
      if (typeof first !== "string") return textAtPlace(record, part.steps);
      const member = memberText(record, first);
      const form = Object.hasOwn(data, first) ? data[first] : undefined;
      const read = member === undefined || form === undefined ? member : dataText(member, form);
      return read === undefined ? undefined : textAtPlace(read, others);
    }
  }
}

/** The record with what its data says in the place of their texts. */
function inClear(record: string, data: DataMembers): string {
  const members = [...memberTexts(record)];
  if (!members.some(({ name }) => Object.hasOwn(data, name))) return record;
  const texts = members.map(({ name, text }) => {
    const form = Object.hasOwn(data, name) ? data[name] : undefined;
    return `${JSON.stringify(name)}:${form === undefined ? text : dataText(text, form)}`;
  });
  return `{${texts.join(",")}}`;
}

/** Objects and lists count as JSON data, as for filters (filters §3); what is none stays as it is. */
function dataText(member: string, form: "json" | "base64"): string {
  if (!member.startsWith('"')) return member;
  const text = String(JSON.parse(member));
  const bytes = Buffer.from(text, form === "json" ? "utf8" : "base64");
  return isJson(bytes) && /^\s*[[{]/.test(bytes.toString("latin1", 0, 64)) ? bytes.toString().trim() : member;
}
