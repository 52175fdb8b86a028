import { CONNECTORS } from "../../../connectors/registry.ts";
import { formatProblem } from "../../../src/manifests/problem.ts";
import { manifestOf } from "../../../src/sam/read-template.ts";
import {
  type TemplateOptions,
  type TemplateResult,
  templateResources,
} from "../../../src/sam/to-resources.ts";

export const OPTIONS: TemplateOptions = {
  parameters: new Map(),
  imports: new Map(),
  stackName: "shop",
  place: { region: "eu-west-1", account: "123456789012" },
  connectors: CONNECTORS,
  endpoints: {},
  isEmbedding: false,
  inlineCode: (file) => `inline/${file}`,
};

export function read(text: string, options: Partial<TemplateOptions> = {}): TemplateResult {
  return templateResources(text, { ...OPTIONS, ...options });
}

/** The `spec` of the only function; `undefined`: there is none. */
export function functionOf(
  text: string,
  options: Partial<TemplateOptions> = {},
): Record<string, unknown> | undefined {
  const { resources } = read(text, options);
  const fn = resources.find(({ kind }) => kind === "Function");
  return fn && (manifestOf(fn).spec as Record<string, unknown>);
}

/** The value that an environment variable of a function gets, of what stands behind `VALUE: `. */
export function variableOf(written: string, sections = "", options: Partial<TemplateOptions> = {}): unknown {
  const spec = functionOf(withValue(written, sections), options);
  return (spec?.["environment"] as Record<string, unknown> | undefined)?.["VALUE"];
}

/** The value stands in line 9, behind `VALUE: `; further sections follow. */
export function withValue(written: string, sections = ""): string {
  return `Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs24.x
      Handler: index.handler
      Environment:
        Variables:
          VALUE: ${written}
${sections}`;
}

/** What a person reads of faults and remarks, a line each. */
export function told({ faults, remarks }: TemplateResult): readonly string[] {
  return [...faults.map((fault) => ({ field: undefined, ...fault })), ...remarks].map((finding) =>
    formatProblem({ file: "t.yaml", ...finding }),
  );
}
