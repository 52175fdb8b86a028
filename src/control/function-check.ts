import { parseFunctionName } from "../manifests/function-name.ts";
import type { FunctionResource, MappingResource } from "../manifests/resources.ts";
import { longestTimeoutMs } from "../model/call-timeouts.ts";
import { ControlFault } from "./control-fault.ts";

/**
 * A mapping's functions are in the manifests, with the version or alias that is meant, and its source may wait for it.
 * @throws ControlFault
 */
export function checkFunction(
  { connector, spec }: MappingResource,
  functions: readonly FunctionResource[],
): void {
  checkNamed(spec.functionName, connector, functions);
  if (spec.enrichment !== undefined) checkNamed(spec.enrichment, connector, functions);
}

function checkNamed(
  named: string,
  connector: MappingResource["connector"],
  functions: readonly FunctionResource[],
): void {
  const { name: functionName, qualifier } = parseFunctionName(named) ?? {};
  const fn = functions.find(({ name }) => name === functionName);
  const hasVersions = fn !== undefined && fn.versions.size + fn.aliases.size > 0;
  const isKnown =
    qualifier === undefined ||
    qualifier === "$LATEST" ||
    !hasVersions ||
    fn.versions.has(qualifier) ||
    fn.aliases.has(qualifier);
  if (fn === undefined || !isKnown) {
    throw new ControlFault("InvalidParameterValueException", "Function does not exist");
  }
  const { title, functionTimeoutSecondsMax: secondsMax } = connector.parameters;
  const timeoutMs = longestTimeoutMs(fn, qualifier);
  if (secondsMax === undefined || timeoutMs <= secondsMax * 1000) return;
  const message = `Function timeout: ${timeoutMs / 1000} seconds is more than ${secondsMax} seconds, which a function that ${title} invokes may take.`;
  throw new ControlFault("InvalidParameterValueException", message);
}
