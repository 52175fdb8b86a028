import type { Place } from "../manifests/problem.ts";
import { list, type MapEntry, type MapValue, scalar, type TemplateValue, textOf } from "./template-value.ts";

export interface LoopScope {
  resolve(value: TemplateValue): TemplateValue;
  report(place: Place, message: string, remedy?: string): void;
}

const LOOP = "Fn::ForEach::";
/** Values that the loops of a section may make together. */
const VALUES_MAX = 100_000;

/**
 * A section with what its loops make in their places, as AWS::LanguageExtensions does: `Fn::ForEach::NAME` with an
 * identifier, a list, and a map whose names and values have `${identifier}` in them; `&{identifier}` leaves out what no
 * name may have.
 */
export function withLoops(section: TemplateValue | undefined, scope: LoopScope): TemplateValue | undefined {
  if (section === undefined) return undefined;
  return new Loops(scope).unrolled(section);
}

class Loops {
  readonly #scope: LoopScope;
  readonly #known = new Map<TemplateValue, TemplateValue>();
  #values = 0;

  constructor(scope: LoopScope) {
    this.#scope = scope;
  }

  /** What an alias of YAML repeats is looked at once, and stays one value: a template can nest them beyond counting. */
  unrolled(value: TemplateValue): TemplateValue {
    if (value.kind !== "list" && value.kind !== "map") return value;
    const known = this.#known.get(value) ?? this.#unrolled(value);
    this.#known.set(value, known);
    return known;
  }

  #unrolled(value: TemplateValue): TemplateValue {
    if (value.kind === "list")
      return list(
        value.items.map((item) => this.unrolled(item)),
        value.place,
      );
    if (value.kind !== "map") return value;
    const entries = new Map<string, MapEntry>();
    for (const [name, entry] of value.entries) {
      const isLoop = name.startsWith(LOOP);
      const made = isLoop ? this.#made(name, entry) : [[name, this.#entry(entry)] as const];
      for (const [key, each] of made) {
        if (isLoop && entries.has(key))
          this.#scope.report(entry.key, `${name.slice(0, 80)} makes ${key.slice(0, 80)} twice`);
        entries.set(key, each);
      }
    }
    return { kind: "map", entries, place: value.place };
  }

  #entry({ key, value }: MapEntry): MapEntry {
    return { key, value: this.unrolled(value) };
  }

  #made(name: string, { key, value }: MapEntry): readonly (readonly [string, MapEntry])[] {
    const [identifier, collection, body] = value.kind === "list" ? value.items : [];
    const id = textOf(identifier);
    if (id === undefined || collection === undefined || body?.kind !== "map") {
      const remedy = "Give a list: an identifier, the values, and a map of what is made of each";
      this.#scope.report(value.place, `${name.slice(0, 80)} is not called as it has to be`, remedy);
      return [];
    }
    const values = this.#scope.resolve(collection);
    const items = values.kind === "list" ? values.items.map(textOf) : [undefined];
    if (items.includes(undefined)) {
      const remedy = "Give a list of texts, or a parameter that is one";
      // What is wrong with a parameter has been said.
      if (values.kind !== "unknown" || values.cause.kind !== "reported")
        this.#scope.report(collection.place, `The values of ${name.slice(0, 80)} are not known`, remedy);
      return [];
    }
    return items.flatMap((item) => {
      const made = this.#filled(body, id, item ?? "", key);
      const whole = made.kind === "map" ? this.unrolled(made) : made;
      return whole.kind === "map" ? [...whole.entries] : [];
    });
  }

  #filled(value: TemplateValue, id: string, item: string, at: Place): TemplateValue {
    this.#values += 1;
    if (this.#values > VALUES_MAX) {
      const message = `The loops make more than ${VALUES_MAX} values`;
      if (this.#values === VALUES_MAX + 1) this.#scope.report(at, message, "Make fewer, or shorter ones");
      return value;
    }
    switch (value.kind) {
      case "scalar": {
        const before = typeof value.value === "string" ? value.value : undefined;
        const text = before && filledText(before, id, item);
        return text === before || text === undefined ? value : scalar(text, value.place);
      }
      case "list":
        return list(
          value.items.map((each) => this.#filled(each, id, item, at)),
          value.place,
        );
      case "map":
        return refersTo(value, id) ? scalar(item, value.place) : this.#filledMap(value, id, item, at);
      default:
        return value;
    }
  }

  #filledMap(value: MapValue, id: string, item: string, at: Place): MapValue {
    const entries = [...value.entries].map(([name, entry]): [string, MapEntry] => [
      filledText(name, id, item),
      { key: entry.key, value: this.#filled(entry.value, id, item, at) },
    ]);
    return { kind: "map", entries: new Map(entries), place: value.place };
  }
}

function refersTo(value: MapValue, id: string): boolean {
  return value.entries.size === 1 && textOf(value.entries.get("Ref")?.value) === id;
}

function filledText(text: string, id: string, item: string): string {
  return text
    .replaceAll(`\${${id}}`, () => item)
    .replaceAll(`&{${id}}`, () => item.replaceAll(/[^A-Za-z0-9]/g, ""));
}
