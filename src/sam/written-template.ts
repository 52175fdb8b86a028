import { parseFunctionName } from "../manifests/function-name.ts";
import { awsMembers } from "../manifests/member-names.ts";
import { manifestSchemas } from "../manifests/schema.ts";
import type { Connector } from "../ports/connector.ts";
import { TemplateNames } from "./template-names.ts";
import { type FunctionSpec, functionProperties, type TemplateRemark } from "./written-function.ts";

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

const KINDS: readonly string[] = ["Function", "EventSourceMapping", "Route"];
/** What a function URL says. */
const URL_FIELDS: readonly string[] = ["functionName", "authType", "invokeMode", "cors"];

/** Fields of a mapping that stand elsewhere in a template. */
const OWN_PLACE: readonly string[] = ["functionName", "tags", "uuid"];
/** Fields of a mapping that no template has, and what they say. */
const UNSAID: Readonly<Record<string, string>> = {
  endpoints: "where its source is",
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
  for (const each of resources) if (each.kind === "Function") writing.addFunction(each);
  for (const each of resources) if (each.kind === "EventSourceMapping") writing.addMapping(each);
  for (const each of resources) if (each.kind === "Route") writing.addRoute(each);
  for (const { kind, name } of resources)
    if (!KINDS.includes(kind))
      writing.remark(kind, name, `SAM has it as an event of a function alone: it is left out`);
  return writing.written();
}

class Writing {
  readonly #connectors: readonly Connector[];
  readonly #names = new TemplateNames();
  readonly #resources: Record<string, unknown> = {};
  readonly #parameters: Record<string, unknown> = {};
  readonly #remarks: TemplateRemark[] = [];
  /** Logical names of functions; `undefined`: it is left out. */
  readonly #functions = new Map<string, string | undefined>();
  readonly #layers = new Map<string, string>();

  constructor(connectors: readonly Connector[]) {
    this.#connectors = connectors;
  }

  remark(kind: string, name: string, message: string): void {
    this.#remarks.push({ kind, name, message });
  }

  addFunction({ name, spec }: ManifestResource): void {
    const fn: FunctionSpec = spec;
    const reason = whyLeftOut(fn);
    if (reason !== undefined) {
      this.remark("Function", name, `It is left out, with its mappings: SAM has no function ${reason}`);
      this.#functions.set(name, undefined);
      return;
    }
    const logical = this.#names.of(name, "Function");
    this.#functions.set(name, logical);
    const { properties, beside, unsaid } = functionProperties(fn, {
      layer: (path) => ({ Ref: this.#layer(path) }),
      secret: (variable) => ({ Ref: this.#secret(variable) }),
      plan: (resource) => {
        const plan = this.#names.of(`${logical}Plan`, "");
        this.#resources[plan] = resource;
        return { Ref: plan };
      },
      self: { Ref: logical },
    });
    for (const field of unsaid)
      this.remark("Function", name, `SAM cannot say its ${field}, which is left out`);
    const named = logical === name ? {} : { FunctionName: name };
    this.#resources[logical] = { Type: "AWS::Serverless::Function", Properties: { ...named, ...properties } };
    for (const [suffix, resource] of beside)
      this.#resources[this.#names.of(`${logical}${suffix}`, "")] = resource;
  }

  addMapping({ name, spec }: ManifestResource): void {
    const reference = parseFunctionName(String(spec["functionName"]));
    const target = reference?.name ?? "";
    if (this.#functions.has(target) && this.#functions.get(target) === undefined) return;
    const logical = this.#names.of(name, "Mapping");
    const fields =
      manifestSchemas(this.#connectors).json("EventSourceMapping").properties?.["spec"]?.properties ?? {};
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

  /** A function URL; what has a path is an event of a function in SAM, and has no name of its own there. */
  addRoute({ name, spec }: ManifestResource): void {
    const reference = parseFunctionName(String(spec["functionName"]));
    const target = reference?.name ?? "";
    if (this.#functions.has(target) && this.#functions.get(target) === undefined) return;
    const unsaid = Object.keys(spec).filter((field) => !URL_FIELDS.includes(field));
    if (unsaid.length > 0) {
      this.remark(
        "Route",
        name,
        `SAM cannot say its ${unsaid.join(", ")} beside the function: it is left out`,
      );
      return;
    }
    const logical = this.#names.of(name, "Url");
    const { authType = "NONE", invokeMode, cors } = spec;
    const fields = manifestSchemas(this.#connectors).json("Route").properties?.["spec"]?.properties ?? {};
    const members = awsMembers(
      { ...(cors === undefined ? {} : { cors }), ...(invokeMode === undefined ? {} : { invokeMode }) },
      fields,
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

  #invoked(name: string, qualifier: string | undefined, written: unknown): unknown {
    const logical = this.#functions.get(name);
    if (logical === undefined) return written;
    return qualifier === undefined ? { Ref: logical } : { "Fn::Join": [":", [{ Ref: logical }, qualifier]] };
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

function whyLeftOut({
  http,
  lambda,
  module,
  custom,
  code,
  command,
  runtime,
}: FunctionSpec): string | undefined {
  if (http !== undefined) return "behind HTTP";
  if (lambda !== undefined) return "that runs on Lambda already";
  if (module !== undefined) return "in a module of Node without a package";
  if (custom !== undefined) return "of a kind that a module brings";
  if (command !== undefined || runtime === undefined) return "that a command starts";
  const path = typeof code === "string" ? code : Object(code).path;
  return typeof path === "string" ? undefined : "whose code is in millrace's own store of packages";
}
