import { withVersion } from "../model/executed-version.ts";
import type { InvocationOutcome } from "../model/outcome.ts";
import type { FunctionTarget, InvocationContext } from "../ports/function-target.ts";

export interface FunctionVersions {
  /** What `$LATEST`, and a name without a qualifier, means. */
  readonly latest: FunctionTarget;
  readonly versions: ReadonlyMap<string, FunctionTarget>;
  readonly aliases: ReadonlyMap<string, AliasRoute>;
}

/** An alias sends a share of its batches to other versions than its own. */
export interface AliasRoute {
  readonly version: string;
  /** Weights of other versions; each above 0, together at most 1. */
  readonly weights: ReadonlyMap<string, number>;
}

const LATEST = "$LATEST";

/**
 * One function with versions and aliases: the qualifier of the invoked ARN picks the target. Which version of a
 * weighted alias gets a batch follows from the request id, which is random and the same for all attempts: a batch stays
 * on its version, also over pauses, and nothing has to be remembered.
 */
export function createVersionedFunction(versions: FunctionVersions): FunctionTarget {
  return {
    async invoke(payload, context, signal): Promise<InvocationOutcome> {
      const version = versionOf(versions, context);
      const target = version === LATEST ? versions.latest : versions.versions.get(version);
      if (target === undefined) {
        const message = `Function ${context.functionName} has no version or alias ${version}.`;
        return { kind: "unavailable", message };
      }
      const outcome = await target.invoke(payload, context, signal);
      // What a target says of its own versions counts for less: failure records name those of the manifest.
      return version === LATEST ? outcome : withVersion(outcome, version);
    },
    async close() {
      const targets = [versions.latest, ...versions.versions.values()];
      await Promise.all(targets.map((target) => target.close()));
    },
  };
}

function versionOf({ aliases }: FunctionVersions, context: InvocationContext): string {
  const qualifier = qualifierOf(context) ?? LATEST;
  const alias = aliases.get(qualifier);
  return alias === undefined ? qualifier : versionOfAlias(alias, context.requestId);
}

/** The eighth part of `arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER`. */
function qualifierOf({ functionArn }: InvocationContext): string | undefined {
  return functionArn.split(":")[7];
}

function versionOfAlias({ version, weights }: AliasRoute, requestId: string): string {
  let rest = shareOf(requestId);
  for (const [other, weight] of weights) {
    rest -= weight;
    if (rest < 0) return other;
  }
  return version;
}

/** 0 to below 1, even over random ids: their first 32 bits. FNV-1a serves ids of other forms. */
export function shareOf(requestId: string): number {
  const head = requestId.slice(0, 8);
  if (/^[0-9a-f]{8}$/.test(head)) return Number.parseInt(head, 16) / 2 ** 32;
  let hash = 0x811c9dc5;
  for (let index = 0; index < requestId.length; index++) {
    hash = Math.imul(hash ^ requestId.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) / 2 ** 32;
}
