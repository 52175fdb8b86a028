import { TEMPLATE_RESOURCES } from "../aws/template-resources.ts";
import type { Connector, SourceEndpoints } from "../ports/connector.ts";
import { propertyOf, type TemplateContext, type TemplateResource } from "./context.ts";
import { DEPLOYMENT_CONFIG } from "./deployment-preference.ts";
import { qualified } from "./event-names.ts";
import { eventResources } from "./events.ts";
import { aliasOf, functionResource } from "./function-resource.ts";
import { withGlobals } from "./globals.ts";
import { urlRoute } from "./http-events.ts";
import { type Addition, isAddition, lambdaResource, withAdditions } from "./lambda-resources.ts";
import { Findings, type Remark, type TemplateFault } from "./remarks.ts";
import { Stack, type StackOptions } from "./stack.ts";
import { isFunction, isLayer, type StackResource } from "./stack-resources.ts";
import { parseTemplate } from "./template.ts";
import { memberOf, type TemplateValue, textOf } from "./template-value.ts";

export interface TemplateOptions extends Omit<StackOptions, "embedded"> {
  readonly connectors: readonly Connector[];
  readonly endpoints: SourceEndpoints;
  /** Sources that the template has AWS make are kept here instead, where a connector keeps such. */
  readonly isEmbedding: boolean;
  /** Takes code that stands in the template itself; answers with the folder that has it. */
  readonly inlineCode: (file: string, text: string) => string;
}

export interface TemplateResult {
  readonly resources: readonly TemplateResource[];
  /** What is not taken over, in reading order. */
  readonly remarks: readonly Remark[];
  /** What is wrong: with any of them the resources are not to be used. */
  readonly faults: readonly TemplateFault[];
}

/** Resources of a template of SAM or CloudFormation, as manifests have them. Pure but for `inlineCode`. */
export function templateResources(text: string, options: TemplateOptions): TemplateResult {
  const parsed = parseTemplate(text);
  if ("problems" in parsed) {
    const faults = parsed.problems.map((problem) => ({
      ...problem,
      place: problem.place ?? { line: 1, column: 1 },
    }));
    return { resources: [], remarks: [], faults };
  }
  const findings = new Findings();
  const embedded = options.isEmbedding ? embeddedSources(options.connectors) : undefined;
  const stack = new Stack(
    parsed.template,
    { ...options, ...(embedded === undefined ? {} : { embedded }) },
    findings,
  );
  const context: TemplateContext = { ...options, stack, findings };
  tellMacros(stack.section("Transform"), context);
  checkParameters(context);
  const additions: Addition[] = [];
  const resources = stack.resources.flatMap((resource): readonly TemplateResource[] => {
    if (isFunction(resource)) return functionResources(resource, context);
    const other = lambdaResource(resource, context);
    if (other === undefined) tellNotRun(resource, embedded, context);
    if (other === undefined || other === "told") return [];
    if (!isAddition(other)) return [other];
    additions.push(other);
    return [];
  });
  const whole = resources.map((each) => (each.kind === "Function" ? withAdditions(each, additions) : each));
  const inOrder = whole.toSorted((a, b) => Number(b.kind === "Function") - Number(a.kind === "Function"));
  return { resources: inOrder, remarks: findings.remarks, faults: findings.faults };
}

function functionResources(resource: StackResource, context: TemplateContext): readonly TemplateResource[] {
  const isServerless = resource.type.startsWith("AWS::Serverless::");
  const properties = isServerless
    ? withGlobals(resource.properties, context.stack.globals, "Function")
    : resource.properties;
  const fn = functionResource(resource, properties, context);
  if (fn === undefined) return [];
  const target = { resource, functionName: fn.name, alias: aliasOf(properties, context) };
  const url = propertyOf(context, properties, "FunctionUrlConfig");
  const named = { name: `${resource.name}Url`, field: `${resource.name}.FunctionUrlConfig` };
  const route = url && urlRoute({ ...named, functionName: qualified(target) }, url, context);
  return [fn, ...(route === undefined ? [] : [route]), ...eventResources(target, properties, context)];
}

function embeddedSources(connectors: readonly Connector[]): ReadonlyMap<string, string> {
  return new Map(connectors.flatMap(({ parameters }) => Object.entries(parameters.templateSources ?? {})));
}

const APIS: readonly string[] = ["AWS::Serverless::Api", "AWS::Serverless::HttpApi"];

/** What AWS alone asks for. */
const PERMISSIONS = /^AWS::(?:IAM::|Lambda::(?:Layer)?(?:Version)?Permission$|CodeDeploy::)/;

/** A resource that is AWS's to make. Where others name it, it is taken to be there, by this name. */
function tellNotRun(
  resource: StackResource,
  embedded: ReadonlyMap<string, string> | undefined,
  { stack, findings }: TemplateContext,
): void {
  const { type, name, key } = resource;
  // A layer is a part of the functions that use it.
  if (isLayer(resource) || type === "AWS::Lambda::Version" || type === DEPLOYMENT_CONFIG) return;
  if (APIS.includes(type)) {
    tellApi(resource, findings);
    return;
  }
  const form = TEMPLATE_RESOURCES[type];
  const physical = form && stack.physicalName(resource, form);
  if (embedded?.has(type) === true) {
    const remedy = `Make ${physical} by the command of its kind: streams create, or queues create; dev makes it`;
    findings.remark(key, name, `The ${type} is kept by millrace itself (--embedded)`, remedy);
    return;
  }
  findings.remark(key, name, `${type} is not run here`, remedyOf(type, physical));
}

/** Its routes are those of functions' events. */
function tellApi({ name, key, type, properties }: StackResource, findings: Findings): void {
  const isDefined = ["DefinitionBody", "DefinitionUri"].some(
    (each) => memberOf(properties, each) !== undefined,
  );
  if (!isDefined) return;
  const remedy = "Routes are those of functions' events";
  findings.remark(key, name, `The definition of the ${type} is not read`, remedy);
}

function remedyOf(type: string, physical: string | undefined): string {
  if (PERMISSIONS.test(type)) return "Nothing is to be done: nobody asks for it here";
  if (physical === undefined) return "Make it in AWS, if functions need it";
  return `It is taken to be there as ${physical}`;
}

function tellMacros(transform: TemplateValue | undefined, { findings }: TemplateContext): void {
  const items = transform?.kind === "list" ? transform.items : transform === undefined ? [] : [transform];
  for (const item of items) {
    const name = textOf(item) ?? "of a map";
    if (/^AWS::(?:Serverless-2016-10-31|LanguageExtensions)$/.test(name)) continue;
    findings.remark(
      item.place,
      undefined,
      `The macro ${name.slice(0, 80)} is not run`,
      "Give the template as it is behind the macro",
    );
  }
}

function checkParameters({ stack, findings }: TemplateContext): void {
  const known = stack.parameterNames();
  for (const name of stack.strangeParameters()) {
    const remedy = known.length === 0 ? "Remove --parameter" : `Parameters here are: ${known.join(", ")}`;
    findings.fault(
      { line: 1, column: 1 },
      `The template has no parameter ${JSON.stringify(name.slice(0, 80))}`,
      remedy,
    );
  }
}
