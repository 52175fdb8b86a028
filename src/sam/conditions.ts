import type { Place } from "../manifests/problem.ts";
import { memberOf, type TemplateValue, textOf } from "./template-value.ts";

export interface ConditionScope {
  resolve(value: TemplateValue): TemplateValue;
  report(place: Place, message: string, remedy?: string): void;
}

/** What a condition may hang on: more than any template has, and less than what fills a stack. */
const DEPTH_MAX = 200;

/** `Conditions`, each worked out once. One that cannot be is reported, and counts as false. */
export class Conditions {
  readonly #section: TemplateValue | undefined;
  readonly #scope: ConditionScope;
  readonly #known = new Map<string, boolean | "under way">();
  #depth = 0;

  constructor(section: TemplateValue | undefined, scope: ConditionScope) {
    this.#section = section;
    this.#scope = scope;
  }

  isTrue(name: string, place: Place): boolean {
    const known = this.#known.get(name);
    if (known === "under way" || this.#depth > DEPTH_MAX)
      return this.#refuse(place, `The condition ${name.slice(0, 80)} hangs on itself, or on too many others`);
    if (known !== undefined) return known;
    const condition = memberOf(this.#section, name);
    if (condition === undefined)
      return this.#refuse(place, `There is no condition ${JSON.stringify(name.slice(0, 80))}`);
    this.#known.set(name, "under way");
    const value = this.#holds(condition);
    this.#known.set(name, value);
    return value;
  }

  #holds(value: TemplateValue): boolean {
    this.#depth += 1;
    try {
      return this.#worked(value);
    } finally {
      this.#depth -= 1;
    }
  }

  #worked(value: TemplateValue): boolean {
    const [[name, { value: argument }] = ["", { value }]] = value.kind === "map" ? value.entries : [];
    const items = argument.kind === "list" ? argument.items : [];
    const wrong = () =>
      this.#refuse(
        value.place,
        "This is no condition",
        "Give Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition",
      );
    if (this.#depth > DEPTH_MAX) return this.#refuse(value.place, "The conditions are nested too deep");
    switch (name) {
      case "Fn::Equals": {
        const [one, other] = items;
        return one === undefined || other === undefined ? wrong() : this.#areEqual(one, other);
      }
      case "Fn::Not":
        return items[0] === undefined ? wrong() : !this.#holds(items[0]);
      // All of them: what is wrong in one is said, whatever the others are.
      case "Fn::And":
        return items.map((item) => this.#holds(item)).every(Boolean);
      case "Fn::Or":
        return items.map((item) => this.#holds(item)).some(Boolean);
      case "Condition":
        return this.isTrue(textOf(argument) ?? "", value.place);
      default:
        return wrong();
    }
  }

  #areEqual(one: TemplateValue, other: TemplateValue): boolean {
    const values = [one, other].map((each) => this.#scope.resolve(each));
    const gap = values.find(({ kind }) => kind === "unknown");
    if (gap?.kind === "unknown") {
      if (gap.cause.kind === "reported") return false;
      return this.#refuse(gap.place, "A condition hangs on a value that is not known before AWS has made it");
    }
    const [first, second] = values.map(comparable);
    return first === second;
  }

  #refuse(place: Place, message: string, remedy?: string): boolean {
    this.#scope.report(place, message, remedy);
    return false;
  }
}

function comparable(value: TemplateValue | undefined): string {
  if (value?.kind === "list") return JSON.stringify(value.items.map(textOf));
  return JSON.stringify(textOf(value) ?? null);
}
