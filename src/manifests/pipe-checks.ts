import { isTemplateFault, readInputTemplate } from "../model/input-template.ts";
import { INPUT_TEMPLATE_CHARS_MAX } from "../model/limits.ts";
import type { Connector } from "../ports/connector.ts";
import type { ReportFault, WrittenMapping } from "../ports/connector-parameters.ts";
import { parseFunctionName } from "./function-name.ts";
import { PIPE_FIELD_NAMES } from "./pipe-schema.ts";

/** Rules of a mapping's enrichment and templates (queues §3). */
export function checkPipe(
  mapping: WrittenMapping,
  connector: Connector | undefined,
  report: ReportFault,
): void {
  const written = PIPE_FIELD_NAMES.filter((name) => mapping.raw(name) !== undefined);
  const [first] = written;
  if (first === undefined) return;
  if (connector !== undefined && connector.pipeRecords === undefined) {
    const facts = { title: connector.parameters.title };
    report({ rule: "pipeOfSource", path: [first], part: "key", facts });
  }
  const windowSeconds = mapping.raw("tumblingWindowInSeconds");
  if (typeof windowSeconds === "number" && windowSeconds > 0)
    report({ rule: "pipeWithWindow", path: [first], part: "key" });
  checkEnrichment(mapping, report);
  for (const name of ["enrichmentParameters", "targetParameters"])
    checkTemplate(mapping, [name, "inputTemplate"], report);
}

function checkEnrichment(mapping: WrittenMapping, report: ReportFault): void {
  const path = ["enrichment"];
  const text = mapping.raw(...path);
  if (text === undefined) {
    const parameters = ["enrichmentParameters"];
    if (mapping.raw(...parameters) !== undefined)
      report({ rule: "enrichmentMissing", path: parameters, part: "key" });
  } else if (typeof text === "string" && text !== "" && parseFunctionName(text) === undefined) {
    report({ rule: "functionName", path });
  }
}

function checkTemplate(mapping: WrittenMapping, path: readonly string[], report: ReportFault): void {
  const text = mapping.raw(...path);
  if (typeof text !== "string" || text === "" || text.length > INPUT_TEMPLATE_CHARS_MAX) return;
  const template = readInputTemplate(text);
  if (!isTemplateFault(template)) return;
  const { problem, remedy } = template;
  report({ rule: "inputTemplate", path, facts: { problem, remedy } });
}
