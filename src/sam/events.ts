import { propertyOf, type TemplateContext, type TemplateResource } from "./context.ts";
import { type EventTarget, eventName, qualified, type WrittenEvent } from "./event-names.ts";
import { apiRoute } from "./http-events.ts";
import { mappingSpec } from "./mapping-spec.ts";
import { memberOf, scalar, type TemplateValue, textOf } from "./template-value.ts";
import { ruleEvent, scheduleEvent } from "./time-events.ts";

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

/** Events that are no mappings, by their types. */
const OTHER_EVENTS = new Map<
  string,
  (written: WrittenEvent, context: TemplateContext) => TemplateResource | undefined
>([
  ["Api", apiRoute],
  ["HttpApi", apiRoute],
  ["CloudWatchEvent", ruleEvent],
  ["EventBridgeRule", ruleEvent],
  ["Schedule", ruleEvent],
  ["ScheduleV2", scheduleEvent],
]);

function eventResource(written: WrittenEvent, context: TemplateContext): TemplateResource | undefined {
  const { target, field, type, place, value } = written;
  const form = context.connectors
    .map(({ parameters }) => parameters.templateEvents?.[type])
    .find((each) => each !== undefined);
  const other = OTHER_EVENTS.get(type);
  if (form === undefined && other !== undefined) return other(written, context);
  if (form === undefined) {
    tellNotPolled(written, context);
    return undefined;
  }
  const properties = propertyOf(context, value, "Properties");
  const name = eventName(written);
  const functionName = scalar(qualified(target), place);
  const spec = mappingSpec(properties, form, { name, field, functionName }, context);
  return spec && { kind: "EventSourceMapping", name, spec, place };
}

/** What others push is taken at the API's address; whoever has it is to be told to send there. */
const DOORS = new Map<string, (functionName: string) => string>([
  ["S3", (fn) => `Have the store send its notifications to POST /millrace/v1/s3/${fn}`],
  ["SNS", (fn) => `Open /millrace/v1/sns/${fn} by --sns ${fn}=ARN, and subscribe that address`],
]);

function tellNotPolled({ target, type, place, field }: WrittenEvent, { findings }: TemplateContext): void {
  const door = DOORS.get(type);
  if (door === undefined) {
    findings.remark(
      place,
      field,
      `Events of the type ${type.slice(0, 80)} are not run here`,
      "Leave them to AWS",
    );
    return;
  }
  const message = `Events of the type ${type} are pushed, and nobody is told here to push them`;
  findings.remark(place, field, message, door(qualified(target)));
}
