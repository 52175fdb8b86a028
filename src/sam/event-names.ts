import type { StackResource } from "./stack-resources.ts";
import { memberOf, type TemplateValue, textOf } from "./template-value.ts";

/** A manifest's name has so many characters. */
const NAME_CHARS_MAX = 64;

/** The function whose events are meant, as mappings name it. */
export interface EventTarget {
  readonly resource: StackResource;
  readonly functionName: string;
  readonly alias: string | undefined;
}

/** An event of a function, as it is written. */
export interface WrittenEvent {
  readonly target: EventTarget;
  readonly event: string;
  /** `Orders.Events.Daily`. */
  readonly field: string;
  readonly type: string;
  readonly place: TemplateValue["place"];
  readonly value: TemplateValue;
}

export function qualified({ functionName, alias }: Pick<EventTarget, "functionName" | "alias">): string {
  return alias === undefined ? functionName : `${functionName}:${alias}`;
}

/** As SAM calls what it makes of the event, or as millrace wrote it down beside the function. */
export function eventName({ target: { resource }, event }: Pick<WrittenEvent, "target" | "event">): string {
  const written = textOf(memberOf(resource.metadata, "Millrace", "Events", event));
  return written ?? mappingName(`${resource.name}${event}`);
}

/** As SAM calls what it makes of an event; of two that begin alike, the ends are kept. */
export function mappingName(name: string): string {
  const clean = name.replaceAll(/[^A-Za-z0-9_-]/g, "");
  return clean.length <= NAME_CHARS_MAX ? clean : `${clean.slice(0, 31)}--${clean.slice(-31)}`;
}
