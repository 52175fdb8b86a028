import { plain, type TemplateValue, type UnknownValue, unknownsIn } from "./template-value.ts";

/** A value as JSON, or what is not known in it. */
export function jsonOf(
  value: TemplateValue,
): UnknownValue | { readonly kind: "json"; readonly text: string; readonly isSecret: boolean } {
  const [gap] = unknownsIn(value);
  return gap ?? { kind: "json", text: JSON.stringify(plain(value)) ?? "null", isSecret: hasSecret(value) };
}

function hasSecret(value: TemplateValue): boolean {
  if (value.kind === "scalar") return value.isSecret === true;
  if (value.kind === "list") return value.items.some(hasSecret);
  return value.kind === "map" && [...value.entries.values()].some((entry) => hasSecret(entry.value));
}
