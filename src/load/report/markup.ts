/** Text that is markup already. Everything else that goes into markup is escaped. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type MarkupPart = string | number | Markup | readonly MarkupPart[];

/**
 * Markup as a template: what stands in `${…}` is escaped unless it was made by this function, so that nothing can be
 * forgotten.
 */
export function markup(strings: TemplateStringsArray, ...parts: readonly MarkupPart[]): Markup {
  let text = strings[0] ?? "";
  for (const [index, part] of parts.entries()) text += toText(part) + (strings[index + 1] ?? "");
  return new Markup(text);
}

/** Escapes text, and attribute values between double quotes. */
export function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
    .replaceAll(/[^\P{Cc}\t\n\r]/gu, "\u{fffd}");
}

function toText(part: MarkupPart): string {
  if (part instanceof Markup) return part.text;
  if (typeof part === "string") return escapeText(part);
  return typeof part === "number" ? String(part) : part.map(toText).join("");
}
