import type { Place } from "../manifests/problem.ts";
import { jsonOf } from "./json-text.ts";
import { list, scalar, type TemplateValue, textOf, type UnknownValue, unknown } from "./template-value.ts";

/** What functions of a template ask of the rest of it. */
export interface Scope {
  ref(name: string, place: Place): TemplateValue;
  attribute(name: string, attribute: string, place: Place): TemplateValue;
  isTrue(condition: string, place: Place): boolean;
  mapped(keys: readonly string[], place: Place): TemplateValue | undefined;
  imported(name: string, place: Place): TemplateValue;
  report(place: Place, message: string, remedy?: string): void;
}

export interface Call {
  readonly name: string;
  readonly argument: TemplateValue;
  readonly place: Place;
}

/** Calls of one template: what a template that was made to cost much may take. */
const STEPS_MAX = 200_000;
const DEPTH_MAX = 300;
const TEXT_CHARS_MAX = 1_000_000;

/** A map that is the call of a function: its only name is the function's. */
export function callIn(value: TemplateValue): Call | undefined {
  if (value.kind !== "map" || value.entries.size !== 1) return undefined;
  const [[name, entry] = ["", undefined]] = value.entries;
  if (entry === undefined || (name !== "Ref" && !name.startsWith("Fn::"))) return undefined;
  return { name, argument: entry.value, place: value.place };
}

/** Works functions out. What is wrong is reported once; what is not known stays in its place as unknown. */
export class Intrinsics {
  readonly #scope: Scope;
  #steps = 0;
  #depth = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  resolve(value: TemplateValue): TemplateValue {
    this.#steps += 1;
    if (this.#steps > STEPS_MAX || this.#depth >= DEPTH_MAX) return this.#tooMuch(value.place);
    this.#depth += 1;
    try {
      return this.#resolved(value);
    } finally {
      this.#depth -= 1;
    }
  }

  #resolved(value: TemplateValue): TemplateValue {
    switch (value.kind) {
      case "scalar":
        return dynamic(value.value, value.place) ?? value;
      case "list":
        return list(present(value.items.map((item) => this.resolve(item))), value.place);
      case "map": {
        const call = callIn(value);
        if (call !== undefined) return this.#called(call);
        const entries = [...value.entries].map(
          ([name, entry]) => [name, { key: entry.key, value: this.resolve(entry.value) }] as const,
        );
        return {
          kind: "map",
          entries: new Map(entries.filter(([, entry]) => entry.value.kind !== "absent")),
          place: value.place,
        };
      }
      default:
        return value;
    }
  }

  #called(call: Call): TemplateValue {
    const { argument, place } = call;
    switch (call.name) {
      case "Ref": {
        const name = textOf(argument);
        return name === undefined
          ? this.#wrong(call, "the name of a parameter or resource")
          : this.#scope.ref(name, place);
      }
      case "Fn::GetAtt":
        return this.#attribute(call);
      case "Fn::Sub":
        return this.#substituted(call);
      case "Fn::Join":
        return this.#joined(call);
      case "Fn::Select":
        return this.#selected(call);
      case "Fn::Split":
        return this.#split(call);
      case "Fn::If":
        return this.#chosen(call);
      case "Fn::FindInMap":
        return this.#found(call);
      case "Fn::ImportValue":
        return this.#whole(call, (name) => this.#scope.imported(name, place));
      case "Fn::Base64":
        return this.#whole(call, (text, isSecret) =>
          scalar(Buffer.from(text).toString("base64"), place, isSecret),
        );
      case "Fn::ToJsonString":
        return this.#json(call);
      case "Fn::Length": {
        const values = this.resolve(argument);
        if (values.kind === "list") return scalar(values.items.length, place);
        return values.kind === "unknown" ? values : this.#wrong(call, "a list");
      }
      case "Fn::Equals":
      case "Fn::And":
      case "Fn::Or":
      case "Fn::Not":
        return this.#wrong(call, "nothing: this function stands in Conditions alone");
      default:
        return unknown({ kind: "function", name: call.name }, place);
    }
  }

  #attribute(call: Call): TemplateValue {
    const [resource, attribute] = this.#parts(call.argument);
    const [name, path] = [textOf(resource), textOf(attribute)];
    if (attribute?.kind === "unknown") return attribute;
    if (name === undefined || path === undefined) return this.#wrong(call, "NAME.ATTRIBUTE of a resource");
    return this.#scope.attribute(name, path, call.place);
  }

  /** `Name.Attribute`, or a list of both. */
  #parts(argument: TemplateValue): readonly TemplateValue[] {
    if (argument.kind === "list") return argument.items.map((item) => this.resolve(item));
    const text = textOf(argument) ?? "";
    const dot = text.indexOf(".");
    return dot < 0
      ? []
      : [text.slice(0, dot), text.slice(dot + 1)].map((part) => scalar(part, argument.place));
  }

  #substituted(call: Call): TemplateValue {
    const { argument, place } = call;
    const [pattern, given] = argument.kind === "list" ? argument.items : [argument];
    const text = textOf(pattern);
    if (text === undefined || (given !== undefined && given.kind !== "map")) {
      return this.#wrong(call, "a text, or a list of a text and a map of its variables");
    }
    const parts: TemplateValue[] = [];
    let end = 0;
    for (const match of text.matchAll(/\$\{([^{}]*)\}/g)) {
      parts.push(
        scalar(text.slice(end, match.index), place),
        this.#variable((match[1] ?? "").trim(), given, place),
      );
      end = match.index + match[0].length;
    }
    const joined = this.#text([...parts, scalar(text.slice(end), place)], "", place);
    return joined.kind === "scalar" ? (dynamic(joined.value, place) ?? joined) : joined;
  }

  #variable(name: string, given: TemplateValue | undefined, place: Place): TemplateValue {
    if (name.startsWith("!")) return scalar(`\${${name.slice(1)}}`, place);
    const own = given?.kind === "map" ? given.entries.get(name)?.value : undefined;
    if (own !== undefined) return this.resolve(own);
    const dot = name.indexOf(".");
    if (dot < 0) return this.#scope.ref(name, place);
    return this.#scope.attribute(name.slice(0, dot), name.slice(dot + 1), place);
  }

  #joined(call: Call): TemplateValue {
    const [delimiter, values] = call.argument.kind === "list" ? call.argument.items : [];
    const between = textOf(delimiter);
    const items = values && this.resolve(values);
    if (items?.kind === "unknown") return items;
    if (between === undefined || items?.kind !== "list")
      return this.#wrong(call, "a delimiter and a list of texts");
    return this.#text(items.items, between, call.place);
  }

  /** The texts of all of them; unknown as soon as one is. */
  #text(parts: readonly TemplateValue[], between: string, place: Place): TemplateValue {
    const texts: string[] = [];
    let chars = 0;
    let isSecret = false;
    for (const part of parts) {
      if (part.kind === "unknown") return { ...part, place };
      const text =
        part.kind === "list" ? part.items.map((item) => textOf(item) ?? "").join(",") : textOf(part);
      if (text === undefined) return this.#refuse(place, "This is no text, and stands where one is made");
      chars += text.length + between.length;
      if (chars > TEXT_CHARS_MAX) return this.#tooMuch(place);
      isSecret ||= part.kind === "scalar" && part.isSecret === true;
      texts.push(text);
    }
    return scalar(texts.join(between), place, isSecret);
  }

  #selected(call: Call): TemplateValue {
    const [index, values] =
      call.argument.kind === "list" ? call.argument.items.map((item) => this.resolve(item)) : [];
    if (values?.kind === "unknown") return values;
    if (index?.kind === "unknown") return index;
    const at = Number(textOf(index) ?? Number.NaN);
    if (values?.kind !== "list" || !Number.isInteger(at)) return this.#wrong(call, "an index and a list");
    const found = values.items[at];
    if (found !== undefined && at >= 0) return found;
    return this.#refuse(
      call.place,
      `The list has ${values.items.length} values, and number ${at} is asked for`,
    );
  }

  #split(call: Call): TemplateValue {
    const [delimiter, source] = call.argument.kind === "list" ? call.argument.items : [];
    const [between, value] = [textOf(delimiter), source && this.resolve(source)];
    if (value?.kind === "unknown") return value;
    const text = textOf(value);
    if (between === undefined || between === "" || text === undefined)
      return this.#wrong(call, "a delimiter and a text");
    const isSecret = value?.kind === "scalar" && value.isSecret === true;
    return list(
      text.split(between).map((part) => scalar(part, call.place, isSecret)),
      call.place,
    );
  }

  #chosen(call: Call): TemplateValue {
    const [condition, yes, no] = call.argument.kind === "list" ? call.argument.items : [];
    const name = textOf(condition);
    if (name === undefined || yes === undefined || no === undefined)
      return this.#wrong(call, "the name of a condition and two values");
    return this.resolve(this.#scope.isTrue(name, call.place) ? yes : no);
  }

  #found(call: Call): TemplateValue {
    const items = call.argument.kind === "list" ? call.argument.items.map((item) => this.resolve(item)) : [];
    const gap = items.find((item): item is UnknownValue => item.kind === "unknown");
    if (gap !== undefined) return gap;
    const keys = items.slice(0, 3).map(textOf);
    const [name, first, second] = keys;
    if (name === undefined || first === undefined || second === undefined)
      return this.#wrong(call, "the name of a mapping and two keys");
    const found = this.#scope.mapped([name, first, second], call.place);
    if (found !== undefined) return found;
    const [, , , options] = items;
    const otherwise = options?.kind === "map" ? options.entries.get("DefaultValue")?.value : undefined;
    return (
      otherwise ?? this.#refuse(call.place, `The mapping ${name} has no value for ${first} and ${second}`)
    );
  }

  /** For functions whose argument is one text. */
  #whole(call: Call, use: (text: string, isSecret: boolean) => TemplateValue): TemplateValue {
    const value = this.resolve(call.argument);
    if (value.kind === "unknown") return value;
    const text = textOf(value);
    if (text === undefined) return this.#wrong(call, "a text");
    return use(text, value.kind === "scalar" && value.isSecret === true);
  }

  #json({ argument, place }: Call): TemplateValue {
    const value = this.resolve(argument);
    const json = jsonOf(value);
    return json.kind === "unknown" ? json : scalar(json.text, place, json.isSecret);
  }

  #wrong({ name, place }: Call, wanted: string): TemplateValue {
    return this.#refuse(place, `${name} is not called as it has to be`, `Give ${wanted}`);
  }

  #refuse(place: Place, message: string, remedy?: string): TemplateValue {
    this.#scope.report(place, message, remedy);
    return unknown({ kind: "reported" }, place);
  }

  #tooMuch(place: Place): TemplateValue {
    const message =
      "The functions of this template take more steps, or make longer texts, than a template may";
    return this.#refuse(place, message, "Make it simpler: nest less, and repeat fewer aliases");
  }
}

/** `{{resolve:SERVICE:NAME}}`: AWS puts the value there when it makes the resource. */
function dynamic(value: unknown, place: Place): UnknownValue | undefined {
  const [, name] = typeof value === "string" ? (/\{\{resolve:([^{}]*)\}\}/.exec(value) ?? []) : [];
  return name === undefined ? undefined : unknown({ kind: "secret", name }, place);
}

function present(items: readonly TemplateValue[]): readonly TemplateValue[] {
  return items.filter(({ kind }) => kind !== "absent");
}
