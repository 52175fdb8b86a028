import { resolve } from "node:path";
import type { ReadTemplate } from "../manifests/template-reader.ts";
import { readTemplate } from "../sam/read-template.ts";
import type { TemplateOptions } from "../sam/to-resources.ts";
import type { CliHost, Flags } from "./command.ts";
import { readEndpoints } from "./endpoint-flags.ts";
import { keepInlineCode } from "./inline-code.ts";
import { lastValue, usageError } from "./parse-flags.ts";
import { readPlace } from "./place-flags.ts";

const DEFAULT_STACK = "sam-app";

/** Flags of commands that read templates of SAM and CloudFormation. */
export const TEMPLATE_FLAGS = {
  parameter: {
    value: "NAME=VALUE",
    isRepeatable: true,
    description:
      "Template: the value of a parameter, or of what AWS makes up, by LOGICALNAME or LOGICALNAME.ATTRIBUTE. May be repeated.",
  },
  "import-value": {
    value: "NAME=VALUE",
    isRepeatable: true,
    description: "Template: what another stack exports under this name. May be repeated.",
  },
  "stack-name": {
    value: "NAME",
    description: `Template: AWS::StackName, and the beginning of names that it does not give. Default ${DEFAULT_STACK}.`,
  },
  embedded: {
    value: "FILE",
    description:
      "Template: streams and queues that it makes are kept in this file by millrace itself, in place of AWS.",
  },
} as const;

/** The same for a template that is read anew. @throws MillraceError ERR_MILLRACE_CONFIG */
export function templateOptions(flags: Flags, host: CliHost): TemplateOptions {
  const { connectors } = host.adapters;
  const file = lastValue(flags, "embedded");
  const embedded = connectors.filter(({ parameters }) => parameters.templateSources !== undefined);
  const names = file === undefined ? [] : embedded.flatMap(({ endpointNames }) => endpointNames);
  const own = Object.fromEntries(names.map((name) => [name, [resolve(file ?? "")]]));
  return {
    parameters: readPairs(flags, "parameter"),
    imports: readPairs(flags, "import-value"),
    stackName: lastValue(flags, "stack-name") ?? DEFAULT_STACK,
    place: readPlace(flags, host),
    connectors,
    endpoints: { ...readEndpoints(flags, connectors), ...own },
    isEmbedding: file !== undefined,
    inlineCode: keepInlineCode,
  };
}

export function templateReader(flags: Flags, host: CliHost): ReadTemplate {
  const options = templateOptions(flags, host);
  return (text) => readTemplate(text, options);
}

function readPairs(flags: Flags, flag: string): ReadonlyMap<string, string> {
  const pairs = (flags.get(flag) ?? []).map((text): [string, string] => {
    const at = text.indexOf("=");
    if (at <= 0) throw usageError(`--${flag} is ${JSON.stringify(text.slice(0, 80))}. Give NAME=VALUE.`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return new Map(pairs);
}
