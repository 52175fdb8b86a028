import { cloudOfRegion, pseudoParameter } from "../aws/pseudo-parameters.ts";
import { TEMPLATE_RESOURCES, type TemplateResourceForm } from "../aws/template-resources.ts";
import type { Place } from "../manifests/problem.ts";
import type { Place as StackPlace } from "../model/place.ts";
import { Conditions } from "./conditions.ts";
import { withLoops } from "./for-each.ts";
import { callIn, Intrinsics, type Scope } from "./intrinsics.ts";
import { Parameters } from "./parameters.ts";
import type { Findings } from "./remarks.ts";
import { isFunction, isLayer, resourcesIn, type StackResource } from "./stack-resources.ts";
import {
  list,
  type MapValue,
  memberOf,
  scalar,
  type TemplateValue,
  textOf,
  unknown,
} from "./template-value.ts";

/** What the template itself does not say. */
export interface StackOptions {
  /** By names of parameters; also what AWS makes up, by `LOGICALNAME` or `LOGICALNAME.ATTRIBUTE`. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly imports: ReadonlyMap<string, string>;
  readonly stackName: string;
  readonly place: StackPlace;
  /**
   * The ARN's end of sources that are kept here instead, by the type of the resource that AWS would make: of
   * `AWS::X::Y` called N, `stream/N`. Absent: none are.
   */
  readonly embedded?: ReadonlyMap<string, string>;
}

/** A template with what the caller gave for it: knows what its references mean. */
export class Stack implements Scope {
  readonly resources: readonly StackResource[];
  readonly #template: MapValue;
  readonly #options: StackOptions;
  readonly #findings: Findings;
  readonly #parameters: Parameters;
  readonly #conditions: Conditions;
  readonly #intrinsics: Intrinsics;
  #all: ReadonlyMap<string, StackResource> = new Map();
  readonly #naming = new Set<string>();
  readonly #names = new Map<string, string | undefined>();

  constructor(template: MapValue, options: StackOptions, findings: Findings) {
    this.#template = template;
    this.#options = options;
    this.#findings = findings;
    const report = (place: Place, message: string, remedy?: string) => findings.fault(place, message, remedy);
    this.#parameters = new Parameters(memberOf(template, "Parameters"), {
      given: options.parameters,
      report,
    });
    this.#intrinsics = new Intrinsics(this);
    const scope = { resolve: (value: TemplateValue) => this.resolve(value), report };
    this.#conditions = new Conditions(withLoops(memberOf(template, "Conditions"), scope), scope);
    const all = resourcesIn(withLoops(memberOf(template, "Resources"), scope), report);
    this.#all = new Map(all.map((resource) => [resource.name, resource]));
    this.resources = all.filter((resource) => this.#exists(resource));
  }

  get globals(): TemplateValue | undefined {
    return memberOf(this.#template, "Globals");
  }

  section(name: string): TemplateValue | undefined {
    return memberOf(this.#template, name);
  }

  resolve(value: TemplateValue): TemplateValue {
    return this.#intrinsics.resolve(value);
  }

  /** Something stands there, whatever it says: only conditions are looked at. */
  isThere(value: TemplateValue): boolean {
    const call = callIn(value);
    if (call?.name === "Ref") return textOf(call.argument) !== "AWS::NoValue";
    if (call?.name !== "Fn::If" || call.argument.kind !== "list") return true;
    const [condition, yes, no] = call.argument.items;
    const chosen = this.isTrue(textOf(condition) ?? "", call.place) ? yes : no;
    return chosen !== undefined && chosen !== value && this.isThere(chosen);
  }

  /** Names that the caller gave values for, and that nothing here has. */
  strangeParameters(): readonly string[] {
    return [...this.#options.parameters.keys()].filter((name) => {
      const [resource = ""] = name.split(".", 1);
      return !this.#parameters.has(name) && !this.#all.has(resource);
    });
  }

  parameterNames(): readonly string[] {
    return this.#parameters.names();
  }

  resource(name: string): StackResource | undefined {
    return this.#all.get(name);
  }

  /** What the function is called here. */
  functionName(resource: StackResource): string {
    return this.#nameOf(resource, "FunctionName") ?? resource.name;
  }

  functionArn(name: string, qualifier?: string): string {
    const { region, account } = this.#options.place;
    const end = qualifier === undefined ? "" : `:${qualifier}`;
    return `arn:${cloudOfRegion(region).cloud}:lambda:${region}:${account}:function:${name}${end}`;
  }

  report(place: Place, message: string, remedy?: string): void {
    this.#findings.fault(place, message, remedy);
  }

  isTrue(condition: string, place: Place): boolean {
    return this.#conditions.isTrue(condition, place);
  }

  mapped([name = "", first = "", second = ""]: readonly string[], place: Place): TemplateValue | undefined {
    const mapping = memberOf(this.section("Mappings"), name);
    if (mapping === undefined) {
      this.report(place, `There is no mapping ${JSON.stringify(name.slice(0, 80))}`);
      return unknown({ kind: "reported" }, place);
    }
    return memberOf(mapping, first, second);
  }

  imported(name: string, place: Place): TemplateValue {
    const value = this.#options.imports.get(name);
    if (value !== undefined) return scalar(value, place);
    const message = `Another stack exports ${JSON.stringify(name.slice(0, 120))}, and its value is not given`;
    this.report(place, message, `Give --import-value ${name}=VALUE`);
    return unknown({ kind: "reported" }, place);
  }

  ref(name: string, place: Place): TemplateValue {
    if (name.startsWith("AWS::")) return this.#pseudo(name, place);
    if (this.#parameters.has(name)) return moved(this.#parameters.valueOf(name), place);
    const given = this.#options.parameters.get(name);
    if (given !== undefined) return scalar(given, place);
    const resource = this.#all.get(name);
    if (resource !== undefined) return this.#referenced(resource, place);
    return this.#generated(name, place);
  }

  attribute(name: string, attribute: string, place: Place): TemplateValue {
    const given = this.#options.parameters.get(`${name}.${attribute}`);
    if (given !== undefined) return scalar(given, place);
    const resource = this.#all.get(name);
    if (resource === undefined) return this.#generated(name, place, attribute);
    if (isFunction(resource) && attribute === "Arn")
      return scalar(this.functionArn(this.functionName(resource)), place);
    const form = TEMPLATE_RESOURCES[resource.type]?.attributes[attribute];
    const text = form === undefined ? undefined : this.#formed(form, resource, attribute === "Arn");
    if (text !== undefined) return scalar(text, place);
    return unknown({ kind: "made", name: `${name}.${attribute}`, type: resource.type }, place);
  }

  #exists({ metadata: _metadata, ...resource }: StackResource): boolean {
    const condition = memberOf(this.section("Resources"), resource.name, "Condition");
    const name = textOf(condition);
    return name === undefined || this.isTrue(name, condition?.place ?? resource.place);
  }

  #referenced(resource: StackResource, place: Place): TemplateValue {
    if (isFunction(resource)) return scalar(this.functionName(resource), place);
    // A layer stands for itself: whoever uses it looks what it is made of.
    if (isLayer(resource)) return scalar(`layer:${resource.name}`, place);
    const form = TEMPLATE_RESOURCES[resource.type];
    const text =
      form === undefined ? undefined : this.#formed(form.ref, resource, form.ref.startsWith("arn:"));
    if (text !== undefined) return scalar(text, place);
    return unknown({ kind: "made", name: resource.name, type: resource.type }, place);
  }

  /** What SAM makes beside what is written: roles, aliases and versions of functions, APIs of events. */
  #generated(name: string, place: Place, attribute?: string): TemplateValue {
    const [owner = "", property] = name.split(".");
    const resource = this.#all.get(owner) ?? this.#ownerOf(name);
    if (resource === undefined && !name.startsWith("Serverless")) {
      this.report(place, `There is no parameter and no resource ${JSON.stringify(name.slice(0, 80))}`);
      return unknown({ kind: "reported" }, place);
    }
    const alias = memberOf(resource?.properties, "AutoPublishAlias");
    const aliasName = alias === undefined ? undefined : textOf(this.resolve(alias));
    const isAlias = property === "Alias" || name === `${resource?.name}Alias${aliasName}`;
    if (resource !== undefined && isAlias && aliasName !== undefined)
      return scalar(this.functionArn(this.functionName(resource), aliasName), place);
    const whole = attribute === undefined ? name : `${name}.${attribute}`;
    return unknown({ kind: "made", name: whole, type: "AWS::Serverless::Function" }, place);
  }

  /** The function whose name another's begins with: `OrdersRole`, `OrdersAliaslive`, `OrdersUrl`. */
  #ownerOf(name: string): StackResource | undefined {
    const owners = [...this.#all.values()].filter((each) => isFunction(each) && name.startsWith(each.name));
    return owners.toSorted((a, b) => b.name.length - a.name.length)[0];
  }

  #pseudo(name: string, place: Place): TemplateValue {
    if (name === "AWS::NoValue") return { kind: "absent", place };
    if (name === "AWS::NotificationARNs") return list([], place);
    const text = pseudoParameter(name, this.#options.place, this.#options.stackName);
    if (text !== undefined) return scalar(text, place);
    this.report(place, `There is no pseudo parameter ${name.slice(0, 80)}`);
    return unknown({ kind: "reported" }, place);
  }

  /** A form with the resource's name and place; `undefined`: its name is not known. */
  #formed(form: string, resource: StackResource, isArn: boolean): string | undefined {
    const { region, account } = this.#options.place;
    const known = TEMPLATE_RESOURCES[resource.type];
    const name = known && this.physicalName(resource, known);
    if (name === undefined) return undefined;
    const kept = this.#options.embedded?.get(resource.type);
    const { cloud, domain } = cloudOfRegion(region);
    if (kept !== undefined && isArn) return `arn:${cloud}:local:${region}:${account}:${kept}${name}`;
    const values: Readonly<Record<string, string>> = { name, region, account, cloud, domain };
    return form.replaceAll(/\$\{(\w+)\}/g, (_whole, key: string) => values[key] ?? "");
  }

  /** As it is called, or would be by CloudFormation but for what that adds by chance. */
  physicalName(resource: StackResource, form: TemplateResourceForm): string | undefined {
    const written = this.#nameOf(resource, form.nameProperty);
    const isWritten = memberOf(resource.properties, form.nameProperty) !== undefined;
    if (written !== undefined || isWritten) return written;
    const name = `${this.#options.stackName}-${resource.name}`;
    const { property = "", text = "" } = form.suffix ?? {};
    const flag = memberOf(resource.properties, property);
    const end = flag !== undefined && textOf(this.resolve(flag)) === "true" ? text : "";
    return `${form.isLowerCase === true ? name.toLowerCase() : name}${end}`;
  }

  /** A name may be made of other names, and not of its own. */
  #nameOf(resource: StackResource, property: string): string | undefined {
    const written = memberOf(resource.properties, property);
    if (written === undefined) return undefined;
    if (this.#names.has(resource.name)) return this.#names.get(resource.name);
    if (this.#naming.has(resource.name)) {
      this.report(written.place, `The name of ${resource.name} is made of itself`);
      return undefined;
    }
    this.#naming.add(resource.name);
    const name = textOf(this.resolve(written));
    this.#naming.delete(resource.name);
    this.#names.set(resource.name, name);
    return name;
  }
}

function moved(value: TemplateValue, place: Place): TemplateValue {
  return { ...value, place };
}
