import type { LogFields } from "../ports/telemetry.ts";

/**
 * The fields that a log line may have. What is not here is not written, so that a slip in some caller cannot put
 * record contents, headers or credentials into a log. Add a field here when a message needs it.
 */
export const LOG_FIELDS: ReadonlySet<string> = new Set([
  "action",
  "address",
  "alias",
  "attempts",
  "awayMs",
  "caller",
  "certificate",
  "condition",
  "delayMs",
  "drainMs",
  "durationMs",
  "endpoint",
  "epoch",
  "error",
  "errorId",
  "errorText",
  "errorType",
  "errors",
  "event",
  "failure",
  "failures",
  "from",
  "frontAddress",
  "function",
  "linesLeftOut",
  "mapping",
  "mappings",
  "metricsAddress",
  "newerRevision",
  "outcome",
  "owner",
  "pid",
  "place",
  "process",
  "reason",
  "records",
  "redrive",
  "rollout",
  "routes",
  "requestId",
  "revision",
  "set",
  "sourcesAddress",
  "shardId",
  "signal",
  "source",
  "stack",
  "to",
  "told",
  "traceId",
  "uuid",
  "validTo",
  "version",
]);

const VALUE_CHARS_MAX = 2000;

export function allowedFields(fields: LogFields): Record<string, string | number | boolean> {
  const allowed: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || !LOG_FIELDS.has(name)) continue;
    const isLong = typeof value === "string" && value.length > VALUE_CHARS_MAX;
    allowed[name] = isLong ? `${value.slice(0, VALUE_CHARS_MAX)}…` : value;
  }
  return allowed;
}
