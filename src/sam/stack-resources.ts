import type { Place } from "../manifests/problem.ts";
import { memberOf, type TemplateValue, textOf } from "./template-value.ts";

export interface StackResource {
  readonly name: string;
  readonly type: string;
  readonly properties: TemplateValue | undefined;
  readonly metadata: TemplateValue | undefined;
  readonly place: Place;
  /** Where its name is written. */
  readonly key: Place;
}

/** Resources that are functions here, by what they are called. */
const FUNCTION_TYPES: readonly string[] = ["AWS::Serverless::Function", "AWS::Lambda::Function"];
const LAYER_TYPES: readonly string[] = ["AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"];

export function isFunction({ type }: Pick<StackResource, "type">): boolean {
  return FUNCTION_TYPES.includes(type);
}

export function isLayer({ type }: Pick<StackResource, "type">): boolean {
  return LAYER_TYPES.includes(type);
}

export function resourcesIn(
  section: TemplateValue | undefined,
  report: (place: Place, message: string, remedy?: string) => void,
): readonly StackResource[] {
  if (section?.kind !== "map") {
    report(section?.place ?? { line: 1, column: 1 }, "The template has no Resources", "Add Resources");
    return [];
  }
  return [...section.entries].flatMap(([name, { key, value }]) => {
    const type = textOf(memberOf(value, "Type"));
    // AWS::LanguageExtensions and AWS::Include make resources of these.
    if (name.startsWith("Fn::"))
      return [{ name, type: name, properties: undefined, metadata: undefined, place: key, key }];
    if (type !== undefined) {
      const [properties, metadata] = [memberOf(value, "Properties"), memberOf(value, "Metadata")];
      return [{ name, type, properties, metadata, place: value.place, key }];
    }
    report(
      key,
      `The resource ${name.slice(0, 80)} has no Type`,
      "Give its Type, such as AWS::Serverless::Function",
    );
    return [];
  });
}
