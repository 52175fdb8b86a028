import type { InvocableFunction } from "../invocation/invocable-function.ts";
import type { Pipe } from "../invocation/piped-invoker.ts";
import type { FunctionResource, MappingResource } from "../manifests/resources.ts";
import { longestTimeoutMs, qualifierIn } from "../model/call-timeouts.ts";
import { MillraceError } from "../model/errors.ts";
import { type InputTemplate, isTemplateFault, readInputTemplate } from "../model/input-template.ts";
import type { MappingPipe } from "../model/mapping.ts";
import type { Connector } from "../ports/connector.ts";

type Mapping = MappingResource["mapping"];

/**
 * What stands before a mapping's function; `fn`: its enrichment, where that could be opened.
 * @throws MillraceError for what the checks of mappings refuse.
 */
export function openedPipe(
  mapping: Mapping,
  { enrichment, inputTemplate, arn }: MappingPipe,
  { kind, pipeRecords: records }: Connector,
  fn: InvocableFunction | undefined,
): Pipe {
  if (records === undefined)
    throw new MillraceError(
      "ERR_MILLRACE_CONFIG",
      `Mappings of ${kind} have no enrichment and no templates.`,
    );
  return {
    records,
    template: readTemplate(inputTemplate),
    enrichment:
      enrichment === undefined || fn === undefined
        ? undefined
        : { fn, functionArn: enrichment.functionArn, template: readTemplate(enrichment.inputTemplate) },
    variables: {
      "pipe-arn": arn,
      "pipe-name": mapping.name,
      "source-arn": mapping.eventSourceArn,
      "enrichment-arn": enrichment?.functionArn,
      "target-arn": mapping.functionArn,
    },
  };
}

function readTemplate(text: string | undefined): InputTemplate | undefined {
  if (text === undefined) return undefined;
  const template = readInputTemplate(text);
  if (!isTemplateFault(template)) return template;
  throw new MillraceError("ERR_MILLRACE_CONFIG", `${template.problem}. ${template.remedy}.`);
}

/** What one attempt of the mapping may take: its function, and what enriches the records before. */
export function attemptMs(
  { functionName, functionArn, pipe }: Mapping,
  functions: readonly FunctionResource[],
): number {
  const timeoutOf = (wanted: string | undefined, arn = "") => {
    const fn = functions.find(({ name }) => name === wanted);
    return fn === undefined ? 0 : longestTimeoutMs(fn, qualifierIn(arn));
  };
  const { enrichment } = pipe ?? {};
  return timeoutOf(functionName, functionArn) + timeoutOf(enrichment?.functionName, enrichment?.functionArn);
}
