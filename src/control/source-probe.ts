import { firstOf, whenLate } from "../lib/first-of.ts";
import { faultText } from "../manifests/fault-texts.ts";
import type { FunctionResource, MappingResource } from "../manifests/resources.ts";
import { hasErrorCode } from "../model/errors.ts";
import type { Clock } from "../ports/clock.ts";
import { ControlFault } from "./control-fault.ts";
import { openQueueSource, openStreamSource, visibilityFault } from "./deployments.ts";

const PROBE_MS_MAX = 10_000;

/**
 * Looks whether a mapping's source is there and can be read. What is wrong is said in AWS's words (streams §1.6). What
 * is wrong with a source that AWS does not look at is shown in LastProcessingResult (kafka §4).
 */
export async function probeSource(
  resource: MappingResource,
  functions: readonly FunctionResource[],
  clock: Clock,
): Promise<ControlFault | undefined> {
  if (resource.connector.parameters.isUnseen) return undefined;
  const end = new AbortController();
  const looked = look(resource, functions, end.signal);
  const found = await firstOf(looked, whenLate(clock, PROBE_MS_MAX, "late" as const));
  if (found !== "late") return found;
  end.abort();
  return noAccess(resource);
}

async function look(
  resource: MappingResource,
  functions: readonly FunctionResource[],
  signal: AbortSignal,
): Promise<ControlFault | undefined> {
  try {
    if (resource.kind === "queue") {
      const source = await openQueueSource(resource);
      await source.close();
      const fault = visibilityFault(source, functions, resource);
      return fault && invalid(fault.message.split(". ", 1)[0] ?? "");
    }
    const source = await openStreamSource(resource);
    try {
      await source.listShards(signal);
    } finally {
      await source.close();
    }
    return undefined;
  } catch (error) {
    return hasErrorCode(error, "ERR_MILLRACE_SOURCE_NOT_FOUND") ? missing(resource) : noAccess(resource);
  }
}

function missing({ connector, mapping }: MappingResource): ControlFault {
  const fault = { rule: "sourceMissing", path: ["eventSourceArn"], facts: { arn: mapping.eventSourceArn } };
  return invalid(faultText(fault, connector.parameters.texts).message);
}

/** AWS names the role's permissions here; which are needed is in deploy/aws-permissions.md. */
function noAccess({ kind, mapping }: MappingResource): ControlFault {
  return invalid(
    `Cannot access ${kind} ${mapping.eventSourceArn}. Please ensure that it can be reached, and that the credentials of millrace may read it.`,
  );
}

function invalid(message: string): ControlFault {
  return new ControlFault("InvalidParameterValueException", message);
}
