import { fieldOf } from "../manifests/member-names.ts";
import type { FieldSchema } from "../model/field-schema.ts";
import { list, type MapValue, scalar, type TemplateValue, textOf } from "./template-value.ts";

/**
 * A value as a field of a manifest has it: members by the field's names, texts of numbers and flags as what they mean,
 * since parameters of a template are texts.
 */
export function typedValue(value: TemplateValue, schema: FieldSchema | undefined): TemplateValue {
  switch (value.kind) {
    case "list":
      return list(
        value.items.map((item) => typedValue(item, schema?.items)),
        value.place,
      );
    case "map":
      return typedMap(value, schema);
    case "scalar":
      return typedScalar(value, schema);
    default:
      return value;
  }
}

function typedMap(value: MapValue, schema: FieldSchema | undefined): MapValue {
  const fields = schema?.properties;
  const entries = [...value.entries].map(([name, { key, value: member }]) => {
    const field = fields === undefined ? undefined : (fieldOf(name, Object.keys(fields)) ?? lowered(name));
    return [field ?? name, { key, value: typedValue(member, fields?.[field ?? name]) }] as const;
  });
  return { kind: "map", entries: new Map(entries), place: value.place };
}

/** AWS's spelling of a field that is not known here: it is told by its field's name. */
function lowered(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}

function typedScalar(value: TemplateValue, schema: FieldSchema | undefined): TemplateValue {
  const text = textOf(value);
  if (text === undefined) return value;
  const type = schema?.type;
  if (type === "boolean" && /^(?:true|yes|on)$/i.test(text)) return scalar(true, value.place);
  if (type === "boolean" && /^(?:false|no|off)$/i.test(text)) return scalar(false, value.place);
  const isNumber = type === "integer" || type === "number";
  if (isNumber && /^-?\d{1,15}(?:\.\d+)?$/.test(text)) return scalar(Number(text), value.place);
  // One text where a list of texts is meant.
  if (type === "array") return list([scalar(text, value.place)], value.place);
  return type === "string" ? scalar(text, value.place) : value;
}
