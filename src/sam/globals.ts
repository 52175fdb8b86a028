import { callIn } from "./intrinsics.ts";
import { list, type MapValue, memberOf, type TemplateValue } from "./template-value.ts";

/**
 * Properties of a resource with those of `Globals` behind them, as SAM joins them: maps by their members, lists one
 * behind the other, and of all else what the resource says itself. A call of a function is one value.
 */
export function withGlobals(
  properties: TemplateValue | undefined,
  globals: TemplateValue | undefined,
  section: string,
): TemplateValue | undefined {
  const shared = memberOf(globals, section);
  if (shared === undefined) return properties;
  return properties === undefined ? shared : joined(shared, properties);
}

function joined(shared: TemplateValue, own: TemplateValue): TemplateValue {
  if (isPlainMap(shared) && isPlainMap(own)) {
    const entries = new Map(shared.entries);
    for (const [name, entry] of own.entries) {
      const before = entries.get(name);
      entries.set(
        name,
        before === undefined ? entry : { key: entry.key, value: joined(before.value, entry.value) },
      );
    }
    return { kind: "map", entries, place: own.place };
  }
  if (shared.kind === "list" && own.kind === "list") return list([...shared.items, ...own.items], own.place);
  return own;
}

function isPlainMap(value: TemplateValue): value is MapValue {
  return value.kind === "map" && callIn(value) === undefined;
}
