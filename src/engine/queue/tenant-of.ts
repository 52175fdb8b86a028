import { TENANT_CHARS_MAX } from "../../model/limits.ts";
import type { QueueEvents, QueueMessage } from "../../ports/queue-source.ts";

/** The tenant of all messages that name none. */
export const NO_TENANT = "";

/** Reads whose a message is, by a JSON pointer into what filters see of it; `NO_TENANT`: it does not say. */
export function tenantReader(pointer: string, events: QueueEvents): (message: QueueMessage) => string {
  const steps = pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return (message) => nameOf(steps.reduce(stepInto, documentOf(message, events)));
}

/** What cannot be looked into has a tenant all the same: its neighbours go on. */
function documentOf(message: QueueMessage, events: QueueEvents): unknown {
  try {
    return events.filterDocument(message).document;
  } catch {
    return undefined;
  }
}

function stepInto(value: unknown, step: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[step];
}

function nameOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value.slice(0, TENANT_CHARS_MAX);
    case "number":
    case "bigint":
    case "boolean":
      return String(value).slice(0, TENANT_CHARS_MAX);
    default:
      return NO_TENANT;
  }
}
