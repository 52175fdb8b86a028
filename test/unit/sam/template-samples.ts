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

/** Public templates of different makers, with what their deployment gives them. */
export const GIVEN: Readonly<Record<string, Partial<TemplateOptions>>> = {
  "all-events": {},
  audit: {
    parameters: new Map([["Environment", "production"]]),
    imports: new Map([["shared-logs-key", "arn:aws:kms:eu-west-2:123456789012:key/1"]]),
  },
  "document-database": {},
  "items-store": {
    parameters: new Map([
      [
        "itemsTable.StreamArn",
        "arn:aws:dynamodb:eu-west-1:123456789012:table/example-items/stream/2026-01-01T00:00:00.000",
      ],
    ]),
  },
  "log-forwarder": { parameters: new Map([["ReservedConcurrency", "3"]]) },
  "managed-cluster": {
    parameters: new Map([
      ["ApplicationName", "shop"],
      [
        "MSKClusterArn",
        "arn:aws:kafka:eu-west-1:123456789012:cluster/c/6cc0432b-8618-4f44-bccc-e1fbd8fb7c4d-2",
      ],
      ["Topic", "orders"],
    ]),
  },
  "metrics-from-logs": {
    parameters: new Map([
      ["EventSourceType", "Kinesis"],
      ["KinesisStreamArn", "arn:aws:kinesis:eu-west-1:123456789012:stream/logs"],
    ]),
  },
  newsletter: {
    parameters: new Map([
      ["CorsDomain", "https://news.example.com"],
      ["AmplifyProjectId", "p1"],
    ]),
  },
  "power-tuning": {},
  prescriptions: {
    parameters: new Map([
      ["EnabledSystemsParam", "one,two"],
      ["LogLevel", "INFO"],
      ["DeployCheck", "true"],
    ]),
    imports: new Map([["account-resources:KeyArn", "arn:aws:kms:eu-west-2:123456789012:key/2"]]),
  },
  "shopping-cart": {
    parameters: new Map([
      ["UserPoolArn", "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_1"],
      ["UserPoolId", "eu-west-1_1"],
      ["ProductServiceUrl", "https://products.example.com"],
      ["AllowedOrigin", "https://shop.example.com"],
    ]),
  },
  // The rest of what there is: it is no template of one maker.
  "more-events": {},
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
