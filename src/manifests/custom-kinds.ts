import type { ResourceKind } from "./schema.ts";

export const GROUP = "millrace.dev";
export const VERSION = "v1";
/** Holds an object that is to be deleted until no process works on it any more. */
export const FINALIZER = "millrace.dev/drain";

export interface CustomKind {
  readonly kind: ResourceKind;
  /** As in paths and for `kubectl get`. */
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** What `kubectl get` shows beside the name: a path in the object, as the API server reads it. */
  readonly columns: readonly PrinterColumn[];
}

interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "date";
  readonly jsonPath: string;
  /** Above 0: with `-o wide` alone. */
  readonly priority?: number;
}

const READY: PrinterColumn = {
  name: "Ready",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
};
const REASON: PrinterColumn = {
  name: "Reason",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
};
const MESSAGE: PrinterColumn = {
  name: "Message",
  type: "string",
  jsonPath: '.status.conditions[?(@.type=="Ready")].message',
  priority: 1,
};
const AGE: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

function columns(...own: readonly PrinterColumn[]): readonly PrinterColumn[] {
  return [...own, READY, REASON, MESSAGE, AGE];
}

function column(name: string, jsonPath: string, type: PrinterColumn["type"] = "string"): PrinterColumn {
  return { name, type, jsonPath };
}

/** Each kind of manifest as a custom resource. Functions first: what names them follows. */
export const CUSTOM_KINDS: readonly CustomKind[] = [
  {
    kind: "Function",
    plural: "functions",
    singular: "function",
    shortNames: ["mrfn"],
    columns: columns(),
  },
  {
    kind: "EventSourceMapping",
    plural: "eventsourcemappings",
    singular: "eventsourcemapping",
    shortNames: ["mresm"],
    columns: columns(
      column("Function", ".spec.functionName"),
      column("State", ".status.state"),
      column("Lag", ".status.lagSeconds", "integer"),
    ),
  },
  {
    kind: "Route",
    plural: "routes",
    singular: "route",
    shortNames: ["mrroute"],
    columns: columns(column("Function", ".spec.functionName")),
  },
  {
    kind: "Schedule",
    plural: "schedules",
    singular: "schedule",
    shortNames: ["mrsched"],
    columns: columns(column("Expression", ".spec.scheduleExpression")),
  },
  {
    kind: "Rule",
    plural: "rules",
    singular: "rule",
    shortNames: ["mrrule"],
    columns: columns(),
  },
];
