import { fieldSchema, gapIn, isKnownKind, type TemplateContext, type TemplateResource } from "./context.ts";
import { causeText } from "./remarks.ts";
import { map, type TemplateValue } from "./template-value.ts";
import { typedValue } from "./typed-value.ts";

/** What a document of a template says, and where it is written. */
export interface DocumentDraft {
  readonly kind: TemplateResource["kind"];
  readonly name: string;
  /** `Orders.Events.Daily`, or a resource. */
  readonly field: string;
  readonly place: TemplateValue["place"];
  /** Members of its `spec`, by AWS's names or by the fields'. */
  readonly entries: readonly (readonly [name: string, value: TemplateValue | undefined])[];
}

/**
 * A document of another kind than functions and mappings. A member that is not known here leaves the whole out: half of
 * a pattern or a path is another one.
 */
export function eventDocument(draft: DocumentDraft, context: TemplateContext): TemplateResource | undefined {
  const { kind, name, field, place, entries } = draft;
  if (!isKnownKind(kind)) {
    context.findings.remark(
      place,
      field,
      `This version has no ${kind}, and leaves it out`,
      "Leave it to AWS",
    );
    return undefined;
  }
  const whole = map(entries, place);
  const gap = gapIn(whole);
  if (gap === undefined) {
    const spec = typedValue(whole, fieldSchema(context, kind));
    return spec.kind === "map" ? { kind, name, spec, place } : undefined;
  }
  const cause = causeText(gap.cause);
  if (cause !== undefined)
    context.findings.remark(gap.place, field, `The event is left out: ${cause.message}`, cause.remedy);
  return undefined;
}
