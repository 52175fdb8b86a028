import { awsMembers } from "../manifests/member-names.ts";
import type { FieldSchema } from "../model/field-schema.ts";

type Fields = Readonly<Record<string, unknown>>;
type Schemas = Readonly<Record<string, FieldSchema>>;

/** What a template names a target by; `undefined`: its function is left out. */
export type ArnOf = (functionName: string) => unknown;

export interface WrittenTimed {
  readonly properties: Fields;
  /** Targets whose functions are left out. */
  readonly lost: number;
}

/** A rule's fields as properties of `AWS::Events::Rule`; `undefined`: all that it invokes is left out. */
export function ruleProperties(spec: Fields, fields: Schemas, arnOf: ArnOf): WrittenTimed | undefined {
  const { targets, ...rest } = spec;
  const given = Array.isArray(targets) ? targets.map(fieldsOf) : [];
  const kept = given.flatMap((target) => targetMembers(target, fields["targets"]?.items, arnOf) ?? []);
  if (given.length > 0 && kept.length === 0) return undefined;
  return { properties: { ...awsMembers(rest, fields), Targets: kept }, lost: given.length - kept.length };
}

/** A schedule's fields as properties of `AWS::Scheduler::Schedule`; `undefined`: what it invokes is left out. */
export function scheduleProperties(spec: Fields, fields: Schemas, arnOf: ArnOf): WrittenTimed | undefined {
  const { target, startDate, endDate, ...rest } = spec;
  const invoked = targetMembers(fieldsOf(target), fields["target"], arnOf);
  if (invoked === undefined) return undefined;
  const dates = Object.entries({ StartDate: startDate, EndDate: endDate }).flatMap(([name, date]) =>
    date === undefined ? [] : [[name, dateText(date)]],
  );
  const properties = {
    // AWS has no default for it.
    FlexibleTimeWindow: { Mode: "OFF" },
    ...awsMembers(rest, fields),
    ...Object.fromEntries(dates),
    Target: invoked,
  };
  return { properties, lost: 0 };
}

function targetMembers(target: Fields, schema: FieldSchema | undefined, arnOf: ArnOf): Fields | undefined {
  const { arn, ...rest } = target;
  const written = arnOf(String(arn));
  if (written === undefined) return undefined;
  return { ...awsMembers(rest, schema?.properties ?? {}), Arn: written };
}

/** The API has them as seconds since the epoch, a template as a text. */
function dateText(date: unknown): unknown {
  return typeof date === "number" ? new Date(date * 1000).toISOString() : date;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
