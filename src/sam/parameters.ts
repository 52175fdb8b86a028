import type { Place } from "../manifests/problem.ts";
import { list, memberOf, scalar, type TemplateValue, textOf, unknown } from "./template-value.ts";

export interface ParameterScope {
  /** By the flags of the caller. */
  readonly given: ReadonlyMap<string, string>;
  report(place: Place, message: string, remedy?: string): void;
}

/**
 * Values of `Parameters`: what the caller gives, else the default. Checked by type, set and bounds when they are used;
 * patterns are left to AWS, since a pattern can be made to take for ever.
 */
export class Parameters {
  readonly #section: TemplateValue | undefined;
  readonly #scope: ParameterScope;
  readonly #known = new Map<string, TemplateValue>();

  constructor(section: TemplateValue | undefined, scope: ParameterScope) {
    this.#section = section;
    this.#scope = scope;
  }

  has(name: string): boolean {
    return memberOf(this.#section, name) !== undefined;
  }

  names(): readonly string[] {
    return this.#section?.kind === "map" ? [...this.#section.entries.keys()] : [];
  }

  valueOf(name: string): TemplateValue {
    const known = this.#known.get(name) ?? this.#read(name);
    this.#known.set(name, known);
    return known;
  }

  #read(name: string): TemplateValue {
    const parameter = memberOf(this.#section, name);
    const place = parameter?.place ?? { line: 1, column: 1 };
    const type = textOf(memberOf(parameter, "Type")) ?? "String";
    const isSecret = textOf(memberOf(parameter, "NoEcho")) === "true";
    const otherwise = memberOf(parameter, "Default");
    // The default of such a one is the name that AWS looks the value up by.
    const isLookedUp = type.startsWith("AWS::SSM::Parameter::Value");
    const text = this.#scope.given.get(name) ?? (isLookedUp ? undefined : textOf(otherwise));
    if (text === undefined) {
      if (isSecret) return unknown({ kind: "secret", name }, place);
      const why = isLookedUp
        ? "is kept by AWS, and its value has to be given"
        : "has no value and no default";
      this.#scope.report(place, `The parameter ${name} ${why}`, `Give --parameter ${name}=VALUE`);
      return unknown({ kind: "reported" }, place);
    }
    if (!this.#isAllowed(name, text, parameter, place)) return unknown({ kind: "reported" }, place);
    const isList = type === "CommaDelimitedList" || /List<|^List$/.test(type);
    if (!isList) return scalar(text, place, isSecret);
    return list(
      text.split(",").map((item) => scalar(item.trim(), place, isSecret)),
      place,
    );
  }

  #isAllowed(name: string, text: string, parameter: TemplateValue | undefined, place: Place): boolean {
    const allowed = memberOf(parameter, "AllowedValues");
    const values = allowed?.kind === "list" ? allowed.items.map(textOf) : undefined;
    const problem =
      values === undefined || values.includes(text)
        ? boundProblem(text, parameter)
        : `is to be one of ${values.join(", ")}`;
    if (problem === undefined) return true;
    const shown = JSON.stringify(text.slice(0, 80));
    const isSecret = textOf(memberOf(parameter, "NoEcho")) === "true";
    this.#scope.report(
      place,
      `The parameter ${name} ${isSecret ? "" : `is ${shown} and `}${problem}`,
      "Give another value",
    );
    return false;
  }
}

function boundProblem(text: string, parameter: TemplateValue | undefined): string | undefined {
  const bound = (name: string) => Number(textOf(memberOf(parameter, name)) ?? Number.NaN);
  const isNumber = textOf(memberOf(parameter, "Type")) === "Number";
  if (isNumber && (text.trim() === "" || !Number.isFinite(Number(text)))) return "is to be a number";
  if (isNumber && Number(text) < bound("MinValue")) return `is to be at least ${bound("MinValue")}`;
  if (isNumber && Number(text) > bound("MaxValue")) return `is to be at most ${bound("MaxValue")}`;
  if (text.length < bound("MinLength")) return `is to have at least ${bound("MinLength")} characters`;
  if (text.length > bound("MaxLength")) return `is to have at most ${bound("MaxLength")} characters`;
  return undefined;
}
