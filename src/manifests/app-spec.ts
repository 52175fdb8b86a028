import { z } from "zod";
import { parseYamlDocuments } from "./yaml-documents.ts";

/** What a deployment of CodeDeploy does to an alias (invocation §11). */
export interface AppSpec {
  readonly functionName: string;
  readonly alias: string;
  /** `undefined`: whatever the alias stands for. */
  readonly from: string | undefined;
  readonly to: string;
  readonly hooks: { readonly before?: string; readonly after?: string };
}

const version = z.union([z.string(), z.number()]).transform(String);
const hook = z.string().min(1).max(140);

const appSpec = z.looseObject({
  Resources: z
    .array(
      z.record(
        z.string(),
        z.looseObject({
          Type: z.literal("AWS::Lambda::Function"),
          Properties: z.looseObject({
            Name: z.string().min(1),
            Alias: z.string().min(1),
            CurrentVersion: version.optional(),
            TargetVersion: version,
          }),
        }),
      ),
    )
    .length(1),
  Hooks: z
    .array(z.looseObject({ BeforeAllowTraffic: hook.optional(), AfterAllowTraffic: hook.optional() }))
    .max(2)
    .optional(),
});

/** Reads an AppSpec of a function, as YAML or JSON; a text says what is wrong with it. */
export function readAppSpec(text: string): AppSpec | string {
  const { documents, problems } = parseYamlDocuments(text);
  const [problem] = problems;
  if (problem !== undefined) return problem.message;
  const { data, error } = appSpec.safeParse(documents[0]?.value);
  const [resource] = Object.values(data?.Resources[0] ?? {});
  if (data === undefined || resource === undefined) {
    const [issue] = error?.issues ?? [];
    return `${issue?.path.join(".") || "Resources"}: ${issue?.message ?? "it names no function"}`;
  }
  const { Name, Alias, CurrentVersion, TargetVersion } = resource.Properties;
  const hooks = data.Hooks ?? [];
  const before = hooks.find(({ BeforeAllowTraffic }) => BeforeAllowTraffic !== undefined)?.BeforeAllowTraffic;
  const after = hooks.find(({ AfterAllowTraffic }) => AfterAllowTraffic !== undefined)?.AfterAllowTraffic;
  return {
    functionName: Name,
    alias: Alias,
    from: CurrentVersion,
    to: TargetVersion,
    hooks: { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) },
  };
}
