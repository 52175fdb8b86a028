import { schemaAt } from "../manifests/issue-texts.ts";
import { connectorOf, endpointRivalry } from "../manifests/mapping-source.ts";
import { fieldOf } from "../manifests/member-names.ts";
import { AWS_PARAMETERS_UNSUPPORTED } from "../manifests/unsupported-parameters.ts";
import type { FieldSchema } from "../model/field-schema.ts";
import type { TemplateEvent } from "../ports/connector-parameters.ts";
import { fieldSchema, gapIn, type TemplateContext } from "./context.ts";
import { causeText } from "./remarks.ts";
import {
  list,
  type MapValue,
  map,
  memberOf,
  plain,
  scalar,
  type TemplateValue,
  textOf,
} from "./template-value.ts";
import { typedValue } from "./typed-value.ts";

/** Where a mapping's properties stand, for what is told of them. */
export interface MappingPlace {
  readonly name: string;
  /** `Orders.Events.Stream`, or a resource. */
  readonly field: string;
  readonly functionName: TemplateValue;
  /** Under which its progress is kept; default: the one that its name gives. */
  readonly uuid?: TemplateValue | undefined;
}

/** Fields without which nothing is read. */
const ENDS: readonly string[] = ["eventSourceArn", "selfManagedEventSource", "functionName"];

/** A mapping's `spec`, of properties that are worked out; `undefined`: its source is not known, which is told. */
export function mappingSpec(
  properties: TemplateValue | undefined,
  { moved }: TemplateEvent,
  at: MappingPlace,
  context: TemplateContext,
): MapValue | undefined {
  const place = properties?.place ?? at.functionName.place;
  const fields = fieldSchema(context, "EventSourceMapping")?.properties ?? {};
  const spec = new Spec(place, at, context);
  spec.set(["functionName"], at.functionName);
  spec.set(["uuid"], at.uuid);
  for (const [name, { key, value }] of properties?.kind === "map" ? properties.entries : []) {
    const path = moved[name] ?? [fieldOf(name, Object.keys(fields)) ?? ""];
    const [field = ""] = path;
    if (field === "") tellStrange(name, key, at, context);
    else if (field !== "functionName") spec.set(path, written(field, path, value, fields, at, context));
  }
  if (!spec.hasSource) return undefined;
  spec.addEndpoints();
  return spec.value();
}

function written(
  field: string,
  path: readonly string[],
  value: TemplateValue,
  fields: Readonly<Record<string, FieldSchema>>,
  at: MappingPlace,
  context: TemplateContext,
): TemplateValue | undefined {
  const schema = schemaAt({ type: "object", properties: fields }, path);
  if (field === "tags") return tagMap(value);
  const own = field === "destinationConfig" ? withoutRouteType(value, at, context) : value;
  return own && typedValue(own, schema);
}

/** What is known of a `spec`, member by member. */
class Spec {
  readonly #entries = new Map<string, TemplateValue>();
  readonly #place: TemplateValue["place"];
  readonly #at: MappingPlace;
  readonly #context: TemplateContext;
  #isLost = false;

  constructor(place: TemplateValue["place"], at: MappingPlace, context: TemplateContext) {
    this.#place = place;
    this.#at = at;
    this.#context = context;
  }

  /** A value that is not known is left out and told; a source that is not known is the whole mapping's end. */
  set(path: readonly string[], value: TemplateValue | undefined): void {
    const [field = "", ...inner] = path;
    if (value === undefined) return;
    const gap = gapIn(value);
    if (gap === undefined) {
      this.#entries.set(field, nested(this.#entries.get(field), inner, value));
      return;
    }
    const isEnd = ENDS.includes(field);
    this.#isLost ||= isEnd;
    const cause = causeText(gap.cause);
    if (cause === undefined) return;
    const whole = isEnd ? "The event is left out" : `${field} is left out`;
    this.#context.findings.remark(gap.place, this.#at.field, `${whole}: ${cause.message}`, cause.remedy);
  }

  get hasSource(): boolean {
    if (this.#isLost) return false;
    if (this.#entries.has("eventSourceArn") || this.#entries.has("selfManagedEventSource")) return true;
    const { findings } = this.#context;
    findings.fault(
      this.#place,
      `The event ${this.#at.field} names no source`,
      "Give its stream, queue or cluster",
    );
    return false;
  }

  /** What finds a source that its ARN alone does not find: the caller says it, the template cannot. */
  addEndpoints(): void {
    const { connectors, endpoints, findings } = this.#context;
    const arn = this.#entries.get("eventSourceArn");
    const source = { eventSourceArn: textOf(arn), endpoints };
    const rivalry = endpointRivalry(source, connectors);
    if (rivalry !== undefined && arn !== undefined)
      findings.fault(arn.place, `${this.#at.field}: ${rivalry.message}`, rivalry.remedy);
    const connector = connectorOf(source, connectors);
    if (arn === undefined || connector === undefined || connector.endpointNames.length === 0) return;
    const given = connector.endpointNames.flatMap((name) => {
      const values = endpoints[name];
      if (values !== undefined)
        return [
          [
            name,
            list(
              values.map((text) => scalar(text, arn.place)),
              arn.place,
            ),
          ] as const,
        ];
      const message = `The template does not say where the source is: ${name}`;
      findings.remark(arn.place, this.#at.field, message, `Give --endpoint ${name}=VALUE`);
      return [];
    });
    if (given.length > 0) this.#entries.set("endpoints", map(given, arn.place));
  }

  value(): MapValue {
    return map(this.#entries, this.#place);
  }
}

function nested(
  before: TemplateValue | undefined,
  [step, ...rest]: readonly string[],
  value: TemplateValue,
): TemplateValue {
  if (step === undefined) return value;
  const entries =
    before?.kind === "map" ? [...before.entries].map(([name, entry]) => [name, entry.value] as const) : [];
  return map([...entries, [step, nested(memberOf(before, step), rest, value)]], value.place);
}

/** CloudFormation has a list of keys and values. */
function tagMap(value: TemplateValue): TemplateValue {
  if (value.kind !== "list") return value;
  const pairs = value.items.map(
    (tag) => [textOf(memberOf(tag, "Key")) ?? "", memberOf(tag, "Value")] as const,
  );
  return map(pairs, value.place);
}

/** SAM says beside a destination of what type it is, or that it is to make one. */
function withoutRouteType(value: TemplateValue, { field }: MappingPlace, { findings }: TemplateContext) {
  const route = memberOf(value, "OnFailure");
  if (route?.kind !== "map") return value;
  const destination = memberOf(route, "Destination");
  if (destination !== undefined)
    return map([["OnFailure", map([["Destination", destination]], route.place)]], value.place);
  if (Object.keys(plain(route) as object).length === 0) return undefined;
  const message = "SAM would make the destination of failures";
  findings.remark(route.place, field, `${message}: none is declared`, "Give its Destination, an ARN");
  return undefined;
}

function tellStrange(
  name: string,
  key: TemplateValue["place"],
  { field }: MappingPlace,
  { findings }: TemplateContext,
): void {
  const known = fieldOf(name, [...AWS_PARAMETERS_UNSUPPORTED.keys()]) !== undefined;
  const why = known || /Kms|KMS/.test(name) ? "has no effect here" : "is not known here";
  findings.remark(
    key,
    `${field}.${name.slice(0, 80)}`,
    `The property ${why}, and is left out`,
    "Remove it, or correct its name",
  );
}
