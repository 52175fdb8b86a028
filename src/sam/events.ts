import { propertyOf, type TemplateContext, type TemplateResource } from "./context.ts";
import { mappingSpec } from "./mapping-spec.ts";
import type { StackResource } from "./stack-resources.ts";
import { memberOf, scalar, type TemplateValue, textOf } from "./template-value.ts";

/** A manifest's name has so many characters. */
const NAME_CHARS_MAX = 64;

/** The function whose events are meant, as mappings name it. */
export interface EventTarget {
  readonly resource: StackResource;
  readonly functionName: string;
  readonly alias: string | undefined;
}

/** `Events` of a function: what is polled becomes a mapping of the function, or of its alias. */
export function eventResources(
  target: EventTarget,
  properties: TemplateValue | undefined,
  context: TemplateContext,
): readonly TemplateResource[] {
  const events = memberOf(properties, "Events");
  if (events?.kind !== "map") return [];
  return [...events.entries].flatMap(([event, { key, value }]) => {
    const type = textOf(memberOf(value, "Type"));
    const place = { ...key };
    const field = `${target.resource.name}.Events.${event}`;
    if (type === undefined) {
      context.findings.fault(
        value.place,
        `The event ${field} has no Type`,
        "Give its Type, such as Schedule",
      );
      return [];
    }
    return eventResource({ target, event, field, type, place, value }, context) ?? [];
  });
}

interface WrittenEvent {
  readonly target: EventTarget;
  readonly event: string;
  readonly field: string;
  readonly type: string;
  readonly place: TemplateValue["place"];
  readonly value: TemplateValue;
}

function eventResource(written: WrittenEvent, context: TemplateContext): TemplateResource | undefined {
  const { target, event, field, type, place, value } = written;
  const form = context.connectors
    .map(({ parameters }) => parameters.templateEvents?.[type])
    .find((each) => each !== undefined);
  if (form === undefined) {
    context.findings.remark(
      place,
      field,
      `Events of the type ${type.slice(0, 80)} are not run here`,
      "Leave them to AWS",
    );
    return undefined;
  }
  const properties = propertyOf(context, value, "Properties");
  const name = mappingName(`${target.resource.name}${event}`);
  const functionName = scalar(qualified(target), place);
  const spec = mappingSpec(properties, form, { name, field, functionName }, context);
  return spec && { kind: "EventSourceMapping", name, spec, place };
}

export function qualified({ functionName, alias }: Pick<EventTarget, "functionName" | "alias">): string {
  return alias === undefined ? functionName : `${functionName}:${alias}`;
}

/** As SAM calls the mapping that it makes of an event; of two that begin alike, the ends are kept. */
export function mappingName(name: string): string {
  const clean = name.replaceAll(/[^A-Za-z0-9_-]/g, "");
  return clean.length <= NAME_CHARS_MAX ? clean : `${clean.slice(0, 31)}--${clean.slice(-31)}`;
}
