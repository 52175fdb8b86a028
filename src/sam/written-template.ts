import { parseFunctionName } from "../manifests/function-name.ts";
import { awsMembers } from "../manifests/member-names.ts";
import { manifestSchemas } from "../manifests/schema.ts";
import type { Connector } from "../ports/connector.ts";
import { addEvent, type PlacedFunction, withQualifier } from "./placed-function.ts";
import { TemplateNames } from "./template-names.ts";
import { functionProperties, whyLeftOut } from "./written-function.ts";
import type { FunctionSpec, References, TemplateRemark } from "./written-parts.ts";
import { routeEvent, whyNoEvent } from "./written-routes.ts";
import { ruleProperties, scheduleProperties } from "./written-time.ts";

/** A resource as its manifest has it. */
export interface ManifestResource {
  readonly kind: string;
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

export interface WrittenTemplate {
  readonly template: Readonly<Record<string, unknown>>;
  /** What SAM cannot say, and is left out: one for each thing. */
  readonly remarks: readonly TemplateRemark[];
}

/** What a function URL says. */
const URL_FIELDS: readonly string[] = ["functionName", "authType", "invokeMode", "cors"];

/** Fields of a mapping that stand elsewhere in a template. */
const OWN_PLACE: readonly string[] = ["functionName", "tags", "uuid"];
/** Fields of a mapping that no template has, and what they say. */
const UNSAID: Readonly<Record<string, string>> = {
  endpoints: "where its source is",
  tenant: "whose its messages are",
  strictAwsFifo: "that what is listed holds back its group",
  enrichment: "the function that enriches its records",
  enrichmentParameters: "what its records are made into before that",
  targetParameters: "what its records are made into before its function",
};

/** Manifests as a template of SAM, which millrace reads back, and AWS takes once roles are added. */
export function writtenTemplate(
  resources: readonly ManifestResource[],
  connectors: readonly Connector[],
): WrittenTemplate {
  const writing = new Writing(connectors);
  const of = (kind: string) => resources.filter((each) => each.kind === kind);
  for (const each of of("Function")) writing.addFunction(each, eventAlias(each, of("Route")));
  for (const each of of("EventSourceMapping")) writing.addMapping(each);
  for (const each of of("Route")) writing.addRoute(each);
  for (const each of of("Rule")) writing.addRule(each);
  for (const each of of("Schedule")) writing.addSchedule(each);
  return writing.written();
}

/** Events of a function go to the alias that SAM publishes to: the first that a route with a path names. */
function eventAlias(fn: ManifestResource, routes: readonly ManifestResource[]): string | undefined {
  const references = routes
    .filter(({ spec }) => spec["path"] !== undefined)
    .map(({ spec }) => parseFunctionName(String(spec["functionName"])));
  return references.find((reference) => reference?.name === fn.name)?.qualifier;
}

class Writing {
  readonly #connectors: readonly Connector[];
  readonly #names = new TemplateNames();
  readonly #resources: Record<string, unknown> = {};
  readonly #parameters: Record<string, unknown> = {};
  readonly #remarks: TemplateRemark[] = [];
  /** By their names; `undefined`: it is left out. */
  readonly #functions = new Map<string, PlacedFunction | undefined>();
  readonly #layers = new Map<string, string>();
  /** Logical names of APIs, by what they are. */
  readonly #apis = new Map<string, string>();

  constructor(connectors: readonly Connector[]) {
    this.#connectors = connectors;
  }

  remark(kind: string, name: string, message: string): void {
    this.#remarks.push({ kind, name, message });
  }

  /** `alias`: the one that its events go to. */
  addFunction({ name, spec }: ManifestResource, alias: string | undefined): void {
    const fn: FunctionSpec = spec;
    const reason = whyLeftOut(fn);
    if (reason !== undefined) {
      const message = `It is left out, with all that invokes it: SAM has no function ${reason}`;
      this.remark("Function", name, message);
      this.#functions.set(name, undefined);
      return;
    }
    const logical = this.#names.of(name, "Function");
    const references: References = {
      layer: (path) => ({ Ref: this.#layer(path) }),
      secret: (variable) => ({ Ref: this.#secret(variable) }),
      plan: (resource) => {
        const plan = this.#names.of(`${logical}Plan`, "");
        this.#resources[plan] = resource;
        return { Ref: plan };
      },
      self: { Ref: logical },
    };
    const { properties, beside, unsaid, published } = functionProperties(fn, alias, references);
    for (const field of unsaid)
      this.remark("Function", name, `SAM cannot say its ${field}, which is left out`);
    const named = logical === name ? {} : { FunctionName: name };
    const resource = { Type: "AWS::Serverless::Function", Properties: { ...named, ...properties } };
    this.#resources[logical] = resource;
    this.#functions.set(name, { logical, alias: published, resource });
    for (const [suffix, resource] of beside)
      this.#resources[this.#names.of(`${logical}${suffix}`, "")] = resource;
  }

  addMapping({ name, spec }: ManifestResource): void {
    const reference = parseFunctionName(String(spec["functionName"]));
    const target = reference?.name ?? "";
    if (this.#isLeftOut(target)) return;
    const logical = this.#names.of(name, "Mapping");
    const fields = this.#fieldsOf("EventSourceMapping");
    const said = Object.entries(spec).filter(([field, value]) => this.#isSaid(name, field, value));
    const { tags, uuid } = spec;
    const own = {
      ...(logical === name ? {} : { Name: name }),
      ...(uuid === undefined ? {} : { Uuid: uuid }),
    };
    this.#resources[logical] = {
      Type: "AWS::Lambda::EventSourceMapping",
      ...(Object.keys(own).length === 0 ? {} : { Metadata: { Millrace: own } }),
      Properties: {
        FunctionName: this.#invoked(target, reference?.qualifier, spec["functionName"]),
        ...awsMembers(Object.fromEntries(said), fields),
        ...(tags === undefined
          ? {}
          : { Tags: Object.entries(Object(tags)).map(([Key, Value]) => ({ Key, Value })) }),
      },
    };
  }

  /** A function URL, or an event of its function. */
  addRoute({ name, spec }: ManifestResource): void {
    const reference = parseFunctionName(String(spec["functionName"]));
    const target = reference?.name ?? "";
    if (this.#isLeftOut(target)) return;
    if (spec["path"] !== undefined) {
      this.#addEvent(name, spec, this.#functions.get(target), reference?.qualifier);
      return;
    }
    const unsaid = Object.keys(spec).filter((field) => !URL_FIELDS.includes(field));
    if (unsaid.length > 0) {
      this.remark("Route", name, `SAM cannot say its ${unsaid.join(", ")} of a function URL: it is left out`);
      return;
    }
    const logical = this.#names.of(name, "Url");
    const { authType = "NONE", invokeMode, cors } = spec;
    const members = awsMembers(
      { ...(cors === undefined ? {} : { cors }), ...(invokeMode === undefined ? {} : { invokeMode }) },
      this.#fieldsOf("Route"),
    );
    this.#resources[logical] = {
      Type: "AWS::Lambda::Url",
      ...(logical === name ? {} : { Metadata: { Millrace: { Name: name } } }),
      Properties: {
        TargetFunctionArn: this.#invoked(target, undefined, target),
        ...(reference?.qualifier === undefined ? {} : { Qualifier: reference.qualifier }),
        AuthType: authType,
        ...members,
      },
    };
  }

  addRule(rule: ManifestResource): void {
    const written = ruleProperties(rule.spec, this.#fieldsOf("Rule"), (name) => this.#arn(name));
    const lost = written?.lost ?? 0;
    if (lost > 0)
      this.remark("Rule", rule.name, "Those of its targets whose functions are left out are left out, too");
    if (written !== undefined) this.#addTimed("AWS::Events::Rule", rule.name, written.properties);
  }

  addSchedule({ name, spec }: ManifestResource): void {
    const { actionAfterCompletion, ...said } = spec;
    const written = scheduleProperties(said, this.#fieldsOf("Schedule"), (fn) => this.#arn(fn));
    if (written === undefined) return;
    if (actionAfterCompletion !== undefined)
      this.remark("Schedule", name, "SAM cannot say that it goes with its last tick: that is left out");
    this.#addTimed("AWS::Scheduler::Schedule", name, written.properties);
  }

  written(): WrittenTemplate {
    const template = {
      Transform: "AWS::Serverless-2016-10-31",
      ...(Object.keys(this.#parameters).length === 0 ? {} : { Parameters: this.#parameters }),
      Resources: this.#resources,
    };
    return { template, remarks: this.#remarks };
  }

  #isSaid(name: string, field: string, value: unknown): boolean {
    if (OWN_PLACE.includes(field)) return false;
    const what = UNSAID[field];
    const isFile = field === "destinationConfig" && JSON.stringify(value).includes('"destination":"file:');
    if (what === undefined && !isFile) return true;
    const message = isFile ? "SAM has no destination in a file" : `SAM cannot say ${what} (${field})`;
    this.remark("EventSourceMapping", name, `${message}: it is left out`);
    return false;
  }

  #isLeftOut(name: string): boolean {
    return this.#functions.has(name) && this.#functions.get(name) === undefined;
  }

  #fieldsOf(kind: "EventSourceMapping" | "Route" | "Rule" | "Schedule") {
    return manifestSchemas(this.#connectors).json(kind).properties?.["spec"]?.properties ?? {};
  }

  #addTimed(type: string, name: string, properties: Readonly<Record<string, unknown>>): void {
    const logical = this.#names.of(name, type.split("::").at(-1) ?? "");
    const named = logical === name ? {} : { Name: name };
    this.#resources[logical] = { Type: type, Properties: { ...named, ...properties } };
  }

  #addEvent(
    name: string,
    spec: ManifestResource["spec"],
    fn: PlacedFunction | undefined,
    qualifier: string | undefined,
  ): void {
    const elsewhere =
      "SAM has events of a function that stands beside them, and of its published alias, alone";
    const why = fn === undefined || fn.alias !== qualifier ? elsewhere : whyNoEvent(spec);
    if (fn === undefined || why !== undefined) {
      this.remark("Route", name, `It is left out: ${why}`);
      return;
    }
    addEvent(
      fn,
      name,
      routeEvent(spec, (type, properties) => ({ Ref: this.#api(type, properties) })),
    );
  }

  #api(type: string, properties: object): string {
    const key = JSON.stringify([type, properties]);
    const logical = this.#apis.get(key) ?? this.#names.of(`Api${this.#apis.size + 1}`, "");
    this.#apis.set(key, logical);
    this.#resources[logical] = { Type: type, Properties: properties };
    return logical;
  }

  #invoked(name: string, qualifier: string | undefined, written: unknown): unknown {
    const fn = this.#functions.get(name);
    return fn === undefined ? written : withQualifier({ Ref: fn.logical }, qualifier);
  }

  /** `undefined`: the function is left out. */
  #arn(written: string): unknown {
    const { name = "", qualifier } = parseFunctionName(written) ?? {};
    if (this.#isLeftOut(name)) return undefined;
    const fn = this.#functions.get(name);
    return fn === undefined ? written : withQualifier({ "Fn::GetAtt": [fn.logical, "Arn"] }, qualifier);
  }

  #layer(path: string): string {
    const known = this.#layers.get(path);
    if (known !== undefined) return known;
    const logical = this.#names.of(`Layer${this.#layers.size + 1}`, "");
    this.#layers.set(path, logical);
    this.#resources[logical] = { Type: "AWS::Serverless::LayerVersion", Properties: { ContentUri: path } };
    return logical;
  }

  #secret(variable: string): string {
    const known = Object.entries(this.#parameters).find(([, each]) => Object(each).Description === variable);
    if (known !== undefined) return known[0];
    const logical = this.#names.of(variable, "Secret");
    this.#parameters[logical] = { Type: "String", NoEcho: true, Description: variable };
    return logical;
  }
}
